// SPDX-License-Identifier: Apache-2.0
#include "stage0/image/reference.hh"

#include <algorithm>
#include <array>

#include "common/sys/sys.hh"
#include "stage0/image/escape.hh"

namespace rocket::image
{

namespace
{

[[noreturn]] void refuse(const std::string& text, std::string hint)
{
    throw Error{Error::Kind::usage, fmt::format("invalid image string {}", text::quoted(text)), std::move(hint)};
}

// file:PATH and file://PATH; the path is absolute and ends in .aci.
FileReference parse_file_url(const std::string& text)
{
    std::string_view path{text};
    path.remove_prefix(5);
    if (path.starts_with("//"))
        path.remove_prefix(2);
    if (path.starts_with("localhost/"))
        path.remove_prefix(9);
    if (!path.starts_with('/') || path.find_first_of("?#") != path.npos)
        refuse(text, "a file URL looks like file:///path/to/image.aci");
    if (!path.ends_with(".aci"))
        refuse(text, "the path of a URL has to end in .aci");
    auto decoded = unescaped(path);
    if (!decoded)
        refuse(text, "a % in a URL stands before two hexadecimal digits");
    return {.path = std::move(*decoded)};
}

std::string absolute(const std::string& path)
{
    if (path.starts_with('/'))
        return path;
    std::array<char, 4096> here;
    if (::getcwd(here.data(), here.size()) == nullptr)
        throw system_error(errno, "finding the working directory");
    return std::string{here.data()} + "/" + path;
}

bool is_image_name(const std::string& text)
{
    try {
        model::ImageName::parse(text);
        return true;
    } catch (const Error&) {
        return false;
    }
}

// A word without a scheme (cli 4.2); unlike rkt's, a path may have any suffix (Q57).
bool is_path(const std::string& text, bool names_file)
{
    if (text.starts_with('/') || names_file)
        return true;
    if (text.find(':') != text.npos)
        return false;
    return text.find("./") != text.npos || text.ends_with(".aci");
}

struct LocalFormat {
    std::string_view prefix;
    LocalReference::Format format;
};
constexpr std::array local_formats{
    LocalFormat{"oci:", LocalReference::Format::oci},
    LocalFormat{"oci-archive:", LocalReference::Format::oci_archive},
    LocalFormat{"docker-archive:", LocalReference::Format::docker_archive},
};

// The first colon ends the path (OREF-7).
LocalReference parse_local(const std::string& text, const std::string& rest, LocalReference::Format format)
{
    const auto colon = rest.find(':');
    const auto path = rest.substr(0, colon);
    const auto name = colon == rest.npos ? std::string{} : rest.substr(colon + 1);
    if (path.empty() || (colon != rest.npos && name.empty()))
        refuse(text, "say oci:DIR[:NAME], oci-archive:FILE[:NAME] or docker-archive:FILE[:TAG]");
    return {.format = format, .path = path, .name = name};
}

} // namespace

Reference parse_reference(const std::string& text, const std::function<bool(const std::string&)>& is_file)
{
    if (text.empty())
        refuse(text, "an image is a file, a name, or an image id");
    if (model::ImageIdPrefix::looks_like(text))
        return model::ImageIdPrefix::parse(text);
    if (text.starts_with("file:"))
        return parse_file_url(text);
    if (text.starts_with("http:") || text.starts_with("https:"))
        return UrlReference{text};
    for (const auto& [prefix, format] : local_formats)
        if (text.starts_with(prefix))
            return parse_local(text, text.substr(prefix.size()), format);
    if (text.starts_with("docker:"))
        return DockerReference{text};
    if (text.starts_with("cimd:"))
        return DistributionPoint{text};
    if (text.find("://") != text.npos)
        refuse(text, "known schemes are file, http, https, docker, oci, oci-archive, docker-archive and cimd");
    for (const char* other : {"containers-storage:", "docker-daemon:", "ostree:"})
        if (text.starts_with(other))
            refuse(text, "what other tools keep has to be copied first: `skopeo copy` and `podman save` make oci:, "
                         "oci-archive: and docker-archive: of it");
    const bool names_file = is_file(text);
    if (is_path(text, names_file))
        return FileReference{.path = absolute(text),
                             .hides_name = names_file && !text.ends_with(".aci") && is_image_name(text)};
    return model::ImageName::parse(text);
}

Reference parse_reference(const std::string& text)
{
    return parse_reference(text, [](const std::string& path) {
        const auto info = sys::stat_if_exists(AT_FDCWD, path, 0);
        return info && S_ISREG(info->st_mode);
    });
}

} // namespace rocket::image
