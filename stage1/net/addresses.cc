// SPDX-License-Identifier: Apache-2.0
#include "stage1/net/addresses.hh"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "common/sys/file.hh"
#include "common/sys/sys.hh"

namespace rocket::stage1
{

namespace
{

struct Address {
    std::array<unsigned char, 16> bytes{};
    std::uint32_t interface = 0;
    std::uint8_t prefix = 0;
};

std::optional<unsigned long> parse_hex(const std::string& word)
{
    std::size_t end = 0;
    if (!text::is_lower_hex(word) || word.empty() || word.size() > 8)
        return std::nullopt;
    const auto number = std::stoul(word, &end, 16);
    return end == word.size() ? std::optional{number} : std::nullopt;
}

// One line of /proc/net/if_inet6: address, index, prefix, scope, flags (all hexadecimal), name.
std::optional<Address> tentative_address(const std::string& line, const std::vector<std::string>& interfaces)
{
    std::vector<std::string> words;
    for (auto& word : text::split(line, ' '))
        if (!word.empty())
            words.push_back(std::move(word));
    constexpr std::size_t hex_digits = 32;
    if (words.size() != 6 || words[0].size() != hex_digits || words[3] != "00" ||
        std::ranges::find(interfaces, words[5]) == interfaces.end())
        return std::nullopt;
    const auto flags = parse_hex(words[4]), index = parse_hex(words[1]), prefix = parse_hex(words[2]);
    if (!flags || !index || !prefix || (*flags & IFA_F_TENTATIVE) == 0)
        return std::nullopt;
    Address address{.interface = static_cast<std::uint32_t>(*index), .prefix = static_cast<std::uint8_t>(*prefix)};
    for (std::size_t byte = 0; byte < address.bytes.size(); ++byte)
        address.bytes[byte] = static_cast<unsigned char>(parse_hex(words[0].substr(byte * 2, 2)).value_or(0));
    return address;
}

// rtnetlink(7)
struct Request {
    nlmsghdr header{};
    ifaddrmsg message{};
    rtattr attribute{};
    std::array<unsigned char, 16> bytes{};
};

void send(const Fd& socket, const Address& address, std::uint16_t type, std::uint16_t flags)
{
    Request request;
    request.header.nlmsg_len = sizeof request;
    request.header.nlmsg_type = type;
    request.header.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | NLM_F_ACK | flags);
    request.message.ifa_family = AF_INET6;
    request.message.ifa_prefixlen = address.prefix;
    request.message.ifa_flags = IFA_F_PERMANENT | IFA_F_NODAD;
    request.message.ifa_index = address.interface;
    request.attribute.rta_len = static_cast<unsigned short>(RTA_LENGTH(sizeof request.bytes));
    request.attribute.rta_type = IFA_LOCAL;
    request.bytes = address.bytes;
    sys::check([&] { return ::send(socket.get(), &request, sizeof request, 0); }, "asking for an address");
    struct Answer {
        nlmsghdr header;
        nlmsgerr error;
    };
    alignas(nlmsghdr) char buffer[4096];
    const auto got = sys::check([&] { return ::recv(socket.get(), buffer, sizeof buffer, 0); }, "being told");
    Answer answer{};
    if (static_cast<std::size_t>(got) < sizeof answer)
        fail(Error::Kind::system, "netlink: short answer");
    std::memcpy(&answer, buffer, sizeof answer);
    if (answer.error.error != 0)
        throw system_error(-answer.error.error, "giving an address");
}

} // namespace

void settle_addresses(const std::vector<std::string>& interfaces)
{
    const auto table = file::read_if_exists(AT_FDCWD, "/proc/net/if_inet6");
    if (!table || interfaces.empty())
        return;
    const Fd socket{sys::check([] { return ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE); },
                               "opening a netlink socket")};
    for (const auto& line : text::split(*table, '\n'))
        if (const auto address = tentative_address(line, interfaces)) {
            send(socket, *address, RTM_DELADDR, 0);
            send(socket, *address, RTM_NEWADDR, NLM_F_CREATE);
        }
}

} // namespace rocket::stage1
