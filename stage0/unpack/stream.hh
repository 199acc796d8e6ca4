// SPDX-License-Identifier: Apache-2.0
// The two ends of a decoder: buffered input, and output that is held to the limits on size and ratio (R16).
#pragma once

#include <memory>
#include <string_view>

#include "stage0/unpack/decompress.hh"

namespace rocket::unpack
{

class Input
{
public:
    explicit Input(const Read& read);

    std::string_view head();                                      // the first 512 bytes, or all there are
    std::string_view available() const noexcept { return rest_; } // read, but not consumed
    bool fill();                                                  // read if nothing is available; false at the end
    void consume(std::size_t size);
    std::uint64_t consumed() const noexcept { return consumed_; }
    // What is left has to be zeros (padding); Kind::corrupt otherwise.
    void expect_padding();

private:
    static constexpr std::size_t capacity = std::size_t{256} << 10;

    const Read& read_;
    std::unique_ptr<char[]> buffer_;
    std::string_view rest_;
    std::uint64_t consumed_ = 0;
};

class Output
{
public:
    Output(const Write& write, const Limits& limits, const Input& input);

    static constexpr std::size_t capacity = std::size_t{256} << 10;
    char* space() noexcept { return buffer_.get(); }
    void commit(std::size_t size) { pass({buffer_.get(), size}); } // what was put into space()
    void pass(std::string_view bytes);

private:
    const Write& write_;
    const Limits& limits_;
    const Input& input_;
    std::unique_ptr<char[]> buffer_;
    std::uint64_t written_ = 0;
};

} // namespace rocket::unpack
