// SPDX-License-Identifier: Apache-2.0
#include "common/model/ip_address.hh"

#include <arpa/inet.h>

#include <algorithm>

namespace rocket::model
{

std::optional<IpAddress> IpAddress::parse(const std::string& text)
{
    IpAddress address;
    if (::inet_pton(AF_INET, text.c_str(), address.bytes_.data()) == 1)
        return address;
    address.is_v6_ = true;
    if (::inet_pton(AF_INET6, text.c_str(), address.bytes_.data()) == 1)
        return address;
    return std::nullopt;
}

IpAddress IpAddress::mask(unsigned prefix)
{
    IpAddress all;
    all.bytes_.fill(0xFF);
    return all.network(prefix);
}

std::string IpAddress::str() const
{
    char text[INET6_ADDRSTRLEN] = {};
    ::inet_ntop(is_v6_ ? AF_INET6 : AF_INET, bytes_.data(), text, sizeof text);
    return text;
}

IpAddress IpAddress::network(unsigned prefix) const
{
    auto network = *this;
    unsigned first = 0;
    for (auto& byte : network.bytes_) {
        const unsigned kept = prefix <= first ? 0 : std::min(prefix - first, 8U);
        byte = static_cast<unsigned char>(byte & (0xFF00U >> kept));
        first += 8;
    }
    return network;
}

} // namespace rocket::model
