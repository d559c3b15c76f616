#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <map>
#include <stdexcept>
#include <thread>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "base/files.h"
#include "crypto/init.h"
#include "tests/bench/bench_network.h"
#include "tests/bench/bound_server.h"
#include "tests/bench/load.h"
#include "tests/support/status_matchers.h"

// Drives a real broker, and the two bounds beside it, with the same envelopes
// over mutual TLS; prints rates, times and ratios (docs/PERFORMANCE.md).

namespace amparo::bench {
namespace {

struct Plan {
  std::string broker = AMPARO_BROKER_PROGRAM;
  int rounds = 3;
  size_t alone = 1000;     // envelopes one at a time, each round
  size_t abreast = 20000;  // envelopes many at a time
  size_t in_flight = 64;
  size_t connections = 4;
  size_t witnesses = 0;
};

// What one server did in one round.
struct Measured {
  Figures alone, abreast, consumed;
  // For an envelope of `abreast`: of the server, of the load generator.
  double server_us = 0, client_us = 0;
  double server_mb = 0;  // resident, when the round is over
};

double Us(absl::Duration duration) {
  return absl::ToDoubleMicroseconds(duration);
}

// Of all threads of a process, in user and kernel.
absl::Duration CpuOf(pid_t pid) {
  const std::string stat =
      VALUE_OF(ReadFile(absl::StrCat("/proc/", pid, "/stat"), 4096));
  const std::vector<std::string> fields =
      absl::StrSplit(stat.substr(stat.rfind(')') + 2), ' ');
  int64_t user = 0, kernel = 0;
  if (!absl::SimpleAtoi(fields.at(11), &user) ||
      !absl::SimpleAtoi(fields.at(12), &kernel))
    throw std::runtime_error("no processor time");
  return absl::Seconds(user + kernel) / sysconf(_SC_CLK_TCK);
}

double ResidentMb(pid_t pid) {
  const std::string text =
      VALUE_OF(ReadFile(absl::StrCat("/proc/", pid, "/statm"), 4096));
  const std::vector<std::string> fields = absl::StrSplit(text, ' ');
  double pages = 0;
  if (!absl::SimpleAtod(fields.at(1), &pages))
    throw std::runtime_error("no memory size");
  return pages * static_cast<double>(sysconf(_SC_PAGESIZE)) / (1 << 20);
}

Measured Measure(BenchNetwork& network, const BenchNetwork::Served& served,
                 const Plan& plan) {
  const std::string& address = served.members;
  std::vector<std::shared_ptr<grpc::Channel>> senders;
  for (size_t i = 0; i < plan.connections; ++i)
    senders.push_back(network.ChannelTo(address, "ong"));
  const auto recipient = network.ChannelTo(address, "uls");
  Submit(senders, network.NewRequests(plan.in_flight * 8), plan.in_flight);
  Measured measured;
  measured.alone =
      Submit({senders.front()}, network.NewRequests(plan.alone), 1);
  const auto requests = network.NewRequests(plan.abreast);
  const pid_t server = served.process->pid(), client = getpid();
  const absl::Duration server_before = CpuOf(server);
  const absl::Duration client_before = CpuOf(client);
  measured.abreast = Submit(senders, requests, plan.in_flight);
  const double count = static_cast<double>(plan.abreast);
  measured.server_us = Us(CpuOf(server) - server_before) / count;
  measured.client_us = Us(CpuOf(client) - client_before) / count;
  measured.consumed = SubmitToConsumer(
      senders, recipient, network.NewRequests(plan.abreast), plan.in_flight);
  measured.server_mb = ResidentMb(server);
  return measured;
}

template <typename Of>
double Median(const std::vector<Measured>& rounds, Of of) {
  std::vector<double> values;
  for (const Measured& round : rounds) values.push_back(of(round));
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

using Part = Figures Measured::*;
constexpr std::pair<const char*, Part> kParts[] = {
    {"1 in flight", &Measured::alone},
    {"many in flight", &Measured::abreast},
    {"many, to the consumer", &Measured::consumed}};

void Print(const char* name, const std::vector<Measured>& rounds) {
  for (const auto& [what, part] : kParts) {
    const auto of = [&](auto field) {
      return Median(rounds, [&](const Measured& m) { return field(m.*part); });
    };
    absl::PrintF("%-8s %-22s %8.0f/s   p50 %7.0f us   p99 %7.0f us\n", name,
                 what, of([](const Figures& f) { return f.per_second; }),
                 of([](const Figures& f) { return Us(f.p50); }),
                 of([](const Figures& f) { return Us(f.p99); }));
  }
  absl::PrintF(
      "%-8s processor time, many in flight: server %.0f us, client %.0f us; "
      "server's memory %.0f MB\n",
      name, Median(rounds, [](const Measured& m) { return m.server_us; }),
      Median(rounds, [](const Measured& m) { return m.client_us; }),
      Median(rounds, [](const Measured& m) { return m.server_mb; }));
}

// Ratio within each round, then the median: the machine changes from one round
// to the next.
void PrintRatios(const char* our_name, const std::vector<Measured>& ours,
                 const char* name, const std::vector<Measured>& bound) {
  for (const auto& [what, part] : kParts) {
    std::vector<double> rates, times;
    for (size_t i = 0; i < ours.size(); ++i) {
      rates.push_back((ours[i].*part).per_second / (bound[i].*part).per_second);
      times.push_back(Us((ours[i].*part).p50) / Us((bound[i].*part).p50));
    }
    std::sort(rates.begin(), rates.end());
    std::sort(times.begin(), times.end());
    absl::PrintF(
        "%s / %s  %-22s rate %.2f (%.2f to %.2f)   p50 %.2f (%.2f to %.2f)\n",
        our_name, name, what, rates[rates.size() / 2], rates.front(),
        rates.back(), times[times.size() / 2], times.front(), times.back());
  }
}

std::string LoadAverage() { return VALUE_OF(ReadFile("/proc/loadavg", 256)); }

void Run(const Plan& plan, const std::string& self) {
  BenchNetwork network(plan.witnesses);
  std::map<std::string, std::vector<Measured>> measured;
  absl::PrintF(
      "%d rounds; %d envelopes alone, %d at %d in flight over %d "
      "connections; %d processors\nload average at start %s",
      plan.rounds, plan.alone, plan.abreast, plan.in_flight, plan.connections,
      std::thread::hardware_concurrency(), LoadAverage());
  for (int round = 0; round < plan.rounds; ++round) {
    for (const char* bound : {"B1", "B2"}) {
      std::vector<std::string> arguments = {
          self,           "bound",      "--data",
          network.data(), "--database", network.NewPath("database")};
      if (bound[1] == '2')
        arguments.insert(arguments.end(),
                         {"--sender", network.sender_key().ToString()});
      const auto served = network.RunBound(arguments);
      measured[bound].push_back(Measure(network, served, plan));
    }
    const auto served = network.RunBroker(plan.broker);
    const auto measure_cosigned = [&] {
      if (plan.witnesses == 0) return;
      const Witnesses witnesses(network.WitnessesAt(served.members));
      measured["cosigned"].push_back(Measure(network, served, plan));
      absl::PrintF("round %d  %d checkpoints with a quorum of %d witnesses\n",
                   round + 1, witnesses.witnessed(), plan.witnesses);
    };
    // The second finds a larger store: they take turns.
    if (round % 2 == 1) measure_cosigned();
    measured["broker"].push_back(Measure(network, served, plan));
    if (round % 2 == 0) measure_cosigned();
    for (const auto& [name, rounds] : measured)
      absl::PrintF(
          "round %d  %-8s %6.0f/s %8.0f/s %8.0f/s  server %4.0f us, client "
          "%4.0f us\n",
          round + 1, name, rounds.back().alone.per_second,
          rounds.back().abreast.per_second, rounds.back().consumed.per_second,
          rounds.back().server_us, rounds.back().client_us);
    std::fflush(stdout);
  }
  absl::PrintF("load average at end %s\nmedians\n", LoadAverage());
  for (const auto& [name, rounds] : measured) Print(name.c_str(), rounds);
  PrintRatios("broker", measured["broker"], "B1", measured["B1"]);
  PrintRatios("broker", measured["broker"], "B2", measured["B2"]);
  if (plan.witnesses > 0)
    PrintRatios("cosigned", measured["cosigned"], "broker", measured["broker"]);
}

}  // namespace
}  // namespace amparo::bench

int main(int argc, char** argv) {
  using namespace amparo::bench;  // NOLINT: a main
  CLI::App app("Drives a real broker and prints its bounds beside it.");
  Plan plan;
  app.add_option("--broker", plan.broker, "the amparo-broker program");
  app.add_option("--rounds", plan.rounds);
  app.add_option("--alone", plan.alone, "envelopes with 1 in flight");
  app.add_option("--abreast", plan.abreast, "envelopes with many in flight");
  app.add_option("--in-flight", plan.in_flight);
  app.add_option("--connections", plan.connections);
  app.add_option("--witnesses", plan.witnesses,
                 "measures the broker with so many witnesses cosigning, too");
  CLI::App* const bound = app.add_subcommand("bound")->group("");
  BoundOptions options;
  std::string sender;
  bound->add_option("--data", options.data)->required();
  bound->add_option("--database", options.database)->required();
  bound->add_option("--sender", sender);
  CLI11_PARSE(app, argc, argv);
  try {
    if (const absl::Status status = amparo::InitCrypto(); !status.ok())
      throw std::runtime_error(status.ToString());
    if (!bound->parsed()) {
      Run(plan, std::filesystem::read_symlink("/proc/self/exe"));
      return 0;
    }
    if (!sender.empty())
      options.sender = VALUE_OF(amparo::VerifyKey::Parse(sender));
    RunBoundServer(options, [](int port) {
      std::printf("%d\n", port);
      std::fflush(stdout);
    });
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "%s\n", failure.what());
    return 1;
  }
  return 0;
}
