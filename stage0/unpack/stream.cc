// SPDX-License-Identifier: Apache-2.0
#include "stage0/unpack/stream.hh"

#include <algorithm>

#include "common/sys/error.hh"

namespace rocket::unpack
{

Input::Input(const Read& read) : read_{read}, buffer_{new char[capacity]} {}

std::string_view Input::head()
{
    constexpr std::size_t wanted = 512;
    std::size_t size = 0;
    while (size < wanted) {
        const auto more = read_(buffer_.get() + size, capacity - size);
        if (more == 0)
            break;
        size += more;
    }
    rest_ = {buffer_.get(), size};
    return rest_.substr(0, wanted);
}

bool Input::fill()
{
    if (rest_.empty())
        rest_ = {buffer_.get(), read_(buffer_.get(), capacity)};
    return !rest_.empty();
}

void Input::consume(std::size_t size)
{
    rest_.remove_prefix(size);
    consumed_ += size;
}

void Input::expect_padding()
{
    while (fill()) {
        if (rest_.find_first_not_of('\0') != rest_.npos)
            fail(Error::Kind::corrupt, "there is something else behind the compressed data");
        consume(rest_.size());
    }
}

Output::Output(const Write& write, const Limits& limits, const Input& input)
    : write_{write}, limits_{limits}, input_{input}, buffer_{new char[capacity]}
{
}

void Output::pass(std::string_view bytes)
{
    written_ += bytes.size();
    if (written_ > limits_.unpacked_bytes)
        fail(Error::Kind::corrupt, "the image unpacks to more than {} bytes (limit unpacked-bytes)",
             limits_.unpacked_bytes);
    // Not written_ / ratio: what came in has at most the size of a file, the product does not overflow.
    if (written_ > limits_.ratio_free_bytes && written_ / std::max<std::uint64_t>(limits_.ratio, 1) > input_.consumed())
        fail(Error::Kind::corrupt, "the image unpacks to more than {} times its size (limit ratio)", limits_.ratio);
    write_(bytes);
}

} // namespace rocket::unpack
