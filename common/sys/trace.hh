// SPDX-License-Identifier: Apache-2.0
// Where the time goes (R18): with ROCKET_TRACE=FILE in the environment each mark() appends one JSON line to FILE,
// {"usec": monotonic time, "pid": N, "program": "run", "mark": "..."}. Without it, or in a setuid program, a mark
// costs nothing. Marks are constants or otherwise free of quotes.
#pragma once

#include <string_view>

namespace rocket::trace
{

void start(std::string_view program);
void mark(std::string_view name) noexcept;

} // namespace rocket::trace
