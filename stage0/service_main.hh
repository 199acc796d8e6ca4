// SPDX-License-Identifier: Apache-2.0
// What the programs have in common that are services: how they begin and end.
#pragma once

#include "common/sys/fd.hh"

namespace rocket
{

// Readable when the service is to end (SIGTERM, SIGINT); before any thread is made. SIGPIPE is nothing to it from now
// on.
Fd end_signals();

// main() of the service: its name in messages, and what it does. 254 for whatever it throws, which is said once.
int service_main(const char* name, int (*serve)(int argc, char** argv), int argc, char** argv);

} // namespace rocket
