// SPDX-License-Identifier: Apache-2.0
#include "stage1/net/nft.hh"

#include <nftables/libnftables.h>

#include "common/sys/error.hh"
#include "common/sys/text.hh"

namespace rocket::stage1
{

void Nft::Free::operator()(nft_ctx* context) const noexcept
{
    ::nft_ctx_free(context);
}

Nft::Nft() : context_{::nft_ctx_new(NFT_CTX_DEFAULT)}
{
    if (!context_ || ::nft_ctx_buffer_output(context_.get()) != 0 || ::nft_ctx_buffer_error(context_.get()) != 0)
        fail(Error::Kind::system, "libnftables does not start");
}

void Nft::run(const std::string& commands)
{
    if (::nft_run_cmd_from_buffer(context_.get(), commands.c_str()) == 0)
        return;
    const std::string said = ::nft_ctx_get_error_buffer(context_.get());
    fail(Error::Kind::system, "nftables: {}", text::printable(text::trim(said.substr(0, said.find('\n')))));
}

std::optional<std::string> Nft::try_run(const std::string& command)
{
    const bool worked = ::nft_run_cmd_from_buffer(context_.get(), command.c_str()) == 0;
    std::string output = ::nft_ctx_get_output_buffer(context_.get());
    ::nft_ctx_get_error_buffer(context_.get()); // emptied by being read
    return worked ? std::optional{std::move(output)} : std::nullopt;
}

} // namespace rocket::stage1
