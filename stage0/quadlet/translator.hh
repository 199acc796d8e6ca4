// SPDX-License-Identifier: Apache-2.0
// The translation while it goes on: what files there are, and the units that were made so far. Its parts are in
// translate.cc (which file becomes what), service.cc (services that run pods), socket.cc (what listens for them) and
// resources.cc (images, volumes, networks). Errors: Kind::usage, "FILE:LINE: ...".
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "stage0/quadlet/container.hh"
#include "stage0/quadlet/translate.hh"
#include "stage0/quadlet/unit_text.hh"

namespace rocket::quadlet
{

class Translator
{
public:
    Translator(const std::vector<UnitFile>& files, const std::string& rocket) : files_{files}, rocket_{rocket} {}
    Translation run() &&;

private:
    struct Fetch { // of an image
        std::string unit, path, image;
        Pull pull = Pull::missing;
        std::vector<std::string> global_flags = {};
        std::vector<std::string> retries = {}; // flags of `rocket fetch`
        const UnitFile* file = nullptr;        // a .image file, which has sections for the unit
        bool waits_for_network = true;         // DefaultDependencies=
    };

    void translate(const UnitFile& file);
    void container(const UnitFile& file);
    void pod(const UnitFile& file);
    void image(const UnitFile& file);
    void volume(const UnitFile& file);
    void network(const UnitFile& file);
    std::string with_names(const std::string& flag) const;
    std::string with_network_names(const std::string& flag) const;
    std::string with_volume_directory(const std::string& flag) const;
    std::string unit_of(const UnitFile& file) const;
    void copy_unit_section(UnitText& text, const UnitFile& file) const;
    void dependency(UnitText& text, const Entry& entry) const;
    void service(const UnitFile& file, const std::string& name, const std::vector<App>& apps, const PodOptions& pod);
    struct Whole; // what the apps of a pod say and need, together
    Whole together(const UnitFile& file, const std::string& name, const std::vector<App>& apps, const PodOptions& pod);
    std::vector<std::string> program(const Whole& whole) const;
    void unit_section(UnitText& text, const UnitFile& file, const Whole& whole) const;
    void service_section(UnitText& text, const UnitFile& file, const Whole& whole) const;
    void link(const UnitFile& file, const std::string& service);
    std::string socket_unit(const App& app, const FileName& name, const std::string& path, const std::string& service);
    void proxy_unit(const App& app, const FileName& name, const std::string& path, const std::string& service,
                    const std::vector<std::string>& globals);
    std::string image_unit(App& app, const FileName& name, const std::string& path);
    std::string resolve(const Reference& reference);
    const UnitFile& file_of(const Reference& reference) const;
    void fetching(const Fetch& fetch);
    void add(Unit unit, const std::string& place);
    void fail_later(const UnitFile& file, const std::string& why);

    const std::vector<UnitFile>& files_;
    const std::string& rocket_;
    std::map<std::string, Unit> units_;
    std::vector<Problem> problems_;
};

void check_sections(const UnitFile& file, std::string_view own); // `own`: the section that the kind of file is about

} // namespace rocket::quadlet
