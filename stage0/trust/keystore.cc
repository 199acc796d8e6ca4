// SPDX-License-Identifier: Apache-2.0
#include "stage0/trust/keystore.hh"

#include <map>

#include "common/sys/file.hh"
#include "common/sys/sys.hh"

namespace rocket::trust
{

namespace
{

constexpr std::size_t max_key_file_size = std::size_t{256} << 10;

std::string root_dir(const std::string& config_dir)
{
    return config_dir + "/trustedkeys/root.d";
}

std::string prefix_dir(const std::string& config_dir, const std::string& prefix)
{
    return config_dir + "/trustedkeys/prefix.d/" + prefix;
}

// Directories of keys are read in order; what a later one says about a key counts.
class Collector
{
public:
    void add_directory(const std::string& directory)
    {
        const auto names = file::list_if_exists(AT_FDCWD, directory);
        if (!names)
            return;
        for (const auto& name : *names)
            add_entry(directory, name);
    }

    ApplicableKeys done() &&
    {
        ApplicableKeys result{{}, std::move(warnings_)};
        for (auto& [fingerprint, key] : keys_)
            result.keys.push_back(std::move(key));
        return result;
    }

private:
    void add_entry(const std::string& directory, const std::string& name)
    {
        const auto path = directory + "/" + name;
        if (name.front() == '.') // a key that is being written
            return;
        const auto fingerprint = Fingerprint::parse(name);
        if (fingerprint) {
            const auto info = sys::stat_if_exists(AT_FDCWD, path, 0);
            if (info && S_ISDIR(info->st_mode)) // of a longer prefix that looks like a fingerprint
                return;
            add_key(*fingerprint, path);
        } else if (const auto info = sys::stat_if_exists(AT_FDCWD, path); info && !S_ISDIR(info->st_mode)) {
            warnings_.push_back(
                fmt::format("ignoring {}: the name of a key file is the key's fingerprint, 40 lower-case hex digits",
                            text::quoted(path)));
        }
    }

    // A file that cannot be read takes its key away, wherever else that may be: it could have been meant as a mask.
    void add_key(const Fingerprint& fingerprint, const std::string& path)
    {
        keys_.erase(fingerprint);
        try {
            auto content = file::read(AT_FDCWD, path, max_key_file_size);
            if (!content.empty()) // empty: masked
                keys_.emplace(fingerprint, KeyFile{fingerprint, path, std::move(content)});
        } catch (const Error& error) {
            warnings_.push_back(fmt::format("not using key {}: {}", text::quoted(path), error.what()));
        }
    }

    std::map<Fingerprint, KeyFile> keys_;
    std::vector<std::string> warnings_;
};

// What a new directory gets: 0755, and where the one above belongs to a group of administrators (set-gid and writable
// for it, cli 1.6), the same again, or the next of them could not add a key.
mode_t mode_below(int parent)
{
    const auto mode = sys::stat(parent).st_mode;
    return 0755U | ((mode & S_ISGID) != 0 ? mode & (S_ISGID | S_IWGRP) : 0U);
}

Fd make_key_dir(const std::string& config_dir, const std::string& relative)
{
    sys::make_dirs(config_dir, 0755);
    auto here = sys::open(AT_FDCWD, config_dir, O_RDONLY | O_DIRECTORY);
    for (const auto& component : text::split(relative, '/')) {
        const auto mode = mode_below(here.get());
        const bool made = sys::make_dir_if_missing(here.get(), component, mode);
        auto next = sys::open(here.get(), component, O_RDONLY | O_DIRECTORY);
        if (made) {
            sys::check([&] { return ::fchmod(next.get(), mode); }, "setting the mode of {}", text::quoted(component));
            sys::fsync(here.get());
        }
        here = std::move(next);
    }
    return here;
}

} // namespace

std::vector<std::string> prefixes_of(const model::AcIdentifier& name)
{
    std::vector<std::string> prefixes;
    const auto& whole = name.str();
    for (auto slash = whole.find('/'); slash != std::string::npos; slash = whole.find('/', slash + 1))
        prefixes.push_back(whole.substr(0, slash));
    prefixes.push_back(whole);
    return prefixes;
}

Keystore::Keystore(std::string system_dir, std::string local_dir)
    : system_{std::move(system_dir)}, local_{std::move(local_dir)}
{
}

ApplicableKeys Keystore::keys_for(const Scope& name) const
{
    Collector collector;
    for (const auto& config_dir : {system_, local_})
        collector.add_directory(root_dir(config_dir));
    for (const auto& config_dir : {system_, local_})
        for (const auto& prefix : name ? prefixes_of(*name) : std::vector<std::string>{})
            collector.add_directory(prefix_dir(config_dir, prefix));
    return std::move(collector).done();
}

std::string Keystore::add(const Scope& scope, const Fingerprint& fingerprint, std::string_view armoured_key) const
{
    const auto path = scope ? prefix_dir(local_, scope->str()) : root_dir(local_);
    return with_context(fmt::format("storing key {}", fingerprint.str()), [&] {
        const auto directory = make_key_dir(local_, path.substr(local_.size() + 1));
        file::write_atomic(directory.get(), fingerprint.str(), armoured_key, 0644);
        return path + "/" + fingerprint.str();
    });
}

} // namespace rocket::trust
