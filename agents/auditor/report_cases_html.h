#pragma once

#include <string>

#include "agents/auditor/report.h"

namespace amparo::auditor {

// What opened cases say, as part of a page; empty where none was given.
std::string CasesHtml(const Report& report);

}  // namespace amparo::auditor
