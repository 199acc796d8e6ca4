// SPDX-License-Identifier: Apache-2.0
// nftables of the network namespace we are in, through libnftables: its own language, one transaction per call.
#pragma once

#include <memory>
#include <optional>
#include <string>

struct nft_ctx;

namespace rocket::stage1
{

class Nft
{
public:
    Nft();

    void run(const std::string& commands);                          // throws Kind::system with what nft says
    std::optional<std::string> try_run(const std::string& command); // its output; nullopt if it failed
    bool is_available() { return try_run("list tables").has_value(); }

private:
    struct Free {
        void operator()(nft_ctx* context) const noexcept;
    };
    std::unique_ptr<nft_ctx, Free> context_;
};

} // namespace rocket::stage1
