#pragma once

// gRPC's own lines, which hold addresses and a dependency's texts, become
// journal lines that hold neither: event "grpc", with the place in gRPC's
// source that spoke. Errors only. Call at the start of main, once.

namespace amparo {

void SendGrpcLinesToJournal();

}  // namespace amparo
