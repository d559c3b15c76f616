#include <benchmark/benchmark.h>

#include <cstdio>

#include "crypto/init.h"

int main(int argc, char** argv) {
  if (!amparo::InitCrypto().ok()) {
    std::fputs("the cryptography does not start\n", stderr);
    return 1;
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
