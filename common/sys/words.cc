// SPDX-License-Identifier: Apache-2.0
#include "common/sys/words.hh"

namespace rocket
{

std::vector<char*> pointers_to(const std::vector<std::string>& words)
{
    std::vector<char*> pointers;
    pointers.reserve(words.size() + 1);
    for (const auto& word : words)
        pointers.push_back(const_cast<char*>(word.c_str())); // execve promises not to write
    pointers.push_back(nullptr);
    return pointers;
}

} // namespace rocket
