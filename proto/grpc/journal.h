#pragma once

// gRPC's own lines, which hold addresses and a dependency's texts, become
// journal lines that hold neither: event "grpc", with the place in gRPC's
// source that spoke. Errors only. Call at the start of main, once.

namespace amparo {

void SendGrpcLinesToJournal();

// For a program that runs one verb for a person: gRPC's lines go nowhere, as
// what went wrong is said once, in the program's own words. Unless the
// environment asks for them (GRPC_VERBOSITY). Call at the start of main, once.
void SilenceGrpc();

}  // namespace amparo
