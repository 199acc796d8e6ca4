// SPDX-License-Identifier: Apache-2.0
#include "stage0/pod/volume_links.hh"

#include <deque>

#include "common/sys/sys.hh"
#include "common/sys/text.hh"

namespace rocket::pod
{

namespace
{

constexpr int most_links = 40; // as in the kernel

// One name at a time, each place held by a descriptor: no rename meanwhile leads past a link unseen.
class Walk
{
public:
    explicit Walk(uid_t user) : user_{user} {}

    std::string to(const std::string& path)
    {
        expand(path);
        while (!left_.empty()) {
            const auto name = std::move(left_.front());
            left_.pop_front();
            if (name == ".." && !places_.empty())
                places_.pop_back();
            else if (!name.empty() && name != "." && name != "..")
                into(name);
        }
        return here();
    }

private:
    struct Place {
        std::string name;
        Fd fd;
    };

    std::string here() const
    {
        std::string path;
        for (const auto& place : places_)
            path += "/" + place.name;
        return path.empty() ? "/" : path;
    }

    // The names of `path` come before what is left.
    void expand(const std::string& path)
    {
        if (path.starts_with('/'))
            places_.clear();
        const auto names = text::split(path, '/');
        left_.insert(left_.begin(), names.begin(), names.end());
    }

    void into(const std::string& name)
    {
        auto fd = sys::open(places_.empty() ? root_.get() : places_.back().fd.get(), name, O_PATH | O_NOFOLLOW);
        const auto info = sys::stat(fd.get());
        if (S_ISLNK(info.st_mode))
            follow(name, fd, info.st_uid);
        else
            places_.push_back({name, std::move(fd)});
    }

    void follow(const std::string& name, const Fd& link, uid_t owner)
    {
        const auto path = (places_.empty() ? "" : here()) + "/" + name;
        if (owner != 0 && owner != user_)
            throw Error{Error::Kind::untrusted,
                        fmt::format("the symbolic link {} on the way belongs to user {}", text::quoted(path), owner),
                        "only links of root's and your own are followed; name the place itself"};
        if (++links_ > most_links)
            fail(Error::Kind::usage, "there are more than {} symbolic links on the way, the last of them {}",
                 most_links, text::quoted(path));
        expand(sys::read_link(link.get(), ""));
    }

    uid_t user_;
    Fd root_ = sys::open(AT_FDCWD, "/", O_PATH | O_DIRECTORY);
    std::deque<std::string> left_;
    std::vector<Place> places_;
    int links_ = 0;
};

void follow_links(model::Volume& volume, uid_t user)
{
    if (volume.kind == model::Volume::Kind::host)
        volume.source = with_context(
            fmt::format("source {} of volume {}", text::quoted(volume.source), text::quoted(volume.name.str())),
            [&] { return without_links(volume.source, user); });
}

} // namespace

std::string without_links(const std::string& path, uid_t user)
{
    return Walk{user}.to(path);
}

void follow_volume_links(std::vector<model::Mount>& mounts, uid_t user)
{
    for (auto& mount : mounts)
        if (mount.app_volume)
            follow_links(*mount.app_volume, user);
}

void follow_volume_links(model::PodManifest& manifest, uid_t user)
{
    for (auto& volume : manifest.volumes)
        follow_links(volume, user);
    for (auto& app : manifest.apps)
        follow_volume_links(app.mounts, user);
}

} // namespace rocket::pod
