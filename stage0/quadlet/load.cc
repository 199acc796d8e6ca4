// SPDX-License-Identifier: Apache-2.0
#include "stage0/quadlet/load.hh"

#include <algorithm>
#include <map>
#include <set>

#include "common/sys/file.hh"
#include "common/sys/sys.hh"
#include "common/sys/text.hh"

namespace rocket::quadlet
{

namespace
{

constexpr std::size_t largest_file = std::size_t{1} << 20;

bool is_ours(const std::string& name)
{
    for (const std::string_view ending : {".container", ".pod", ".image", ".volume", ".network", ".kube", ".build"})
        if (name.ends_with(ending) && name.size() > ending.size())
            return true;
    return false;
}

// The first path of each name that is chosen, in the order of the directories; sorted by name.
std::map<std::string, std::string> names_in(const std::vector<std::string>& directories,
                                            bool (*chosen)(const std::string&))
{
    std::map<std::string, std::string> found;
    for (const auto& directory : directories)
        for (const auto& name : file::list_if_exists(AT_FDCWD, directory).value_or(std::vector<std::string>{}))
            if (chosen(name))
                found.emplace(name, directory + "/" + name);
    return found;
}

bool is_masked(const std::string& path)
{
    const auto info = sys::stat_if_exists(AT_FDCWD, path, 0);
    return info && S_ISCHR(info->st_mode);
}

// The names of the directories of drop-ins for a file, each without its ".d"; what tells more about the file first:
// web-blue@1.container, web-blue@.container, web-.container, container.
std::vector<std::string> drop_in_names(const std::string& name)
{
    const auto dot = name.rfind('.');
    const auto stem = name.substr(0, dot), ending = name.substr(dot);
    std::vector<std::string> names{name};
    const auto at = stem.find('@');
    if (at != std::string::npos && at + 1 < stem.size())
        names.push_back(stem.substr(0, at + 1) + ending);
    const auto prefix = stem.substr(0, at);
    for (auto dash = prefix.rfind('-'); dash != std::string::npos && dash != 0; dash = prefix.rfind('-', dash - 1))
        if (dash + 1 < stem.size()) // else it is the name itself
            names.push_back(prefix.substr(0, dash + 1) + ending);
    names.push_back(ending.substr(1));
    return names;
}

// Of two with one name that which tells more about the file counts, then that of the earlier directory.
std::map<std::string, std::string> drop_ins(const std::string& name, const std::vector<std::string>& directories)
{
    std::vector<std::string> places;
    for (const auto& one : drop_in_names(name))
        for (const auto& directory : directories)
            places.push_back(fmt::format("{}/{}.d", directory, one));
    return names_in(places, [](const std::string& n) { return n.ends_with(".conf"); });
}

UnitFile read(const std::string& name, const std::string& path, const std::vector<std::string>& directories)
{
    UnitFile unit{.name = name, .path = path};
    try {
        unit.add(file::read(AT_FDCWD, path, largest_file), path);
        for (const auto& [_, drop_in] : drop_ins(name, directories))
            if (!is_masked(drop_in))
                unit.add(file::read(AT_FDCWD, drop_in, largest_file), drop_in);
    } catch (const Error& error) {
        unit.problem = error.kind() == Error::Kind::corrupt ? error.innermost() : error.what();
    }
    return unit;
}

} // namespace

const std::vector<std::string>& standard_directories()
{
    static const std::vector<std::string> directories{ROCKET_LOCAL_CONFIG_DIR "/systemd", "/run/rocket/systemd",
                                                      ROCKET_SYSTEM_CONFIG_DIR "/systemd"};
    return directories;
}

std::vector<UnitFile> load(const std::vector<std::string>& directories)
{
    std::vector<UnitFile> files;
    for (const auto& [name, path] : names_in(directories, is_ours))
        if (!is_masked(path))
            files.push_back(read(name, path, directories));
    return files;
}

void write_units(const std::vector<Unit>& units, const std::string& directory)
{
    const auto dir = sys::open(AT_FDCWD, directory, O_RDONLY | O_DIRECTORY);
    for (const auto& unit : units)
        file::write_new(dir.get(), unit.name, unit.text);
    for (const auto& unit : units) {
        for (const auto& link : unit.links) {
            const auto slash = link.find('/');
            if (slash != std::string::npos)
                sys::make_dir_if_missing(dir.get(), link.substr(0, slash), 0755);
            sys::make_symlink((slash != std::string::npos ? "../" : "") + unit.name, dir.get(), link);
        }
    }
}

} // namespace rocket::quadlet
