// SPDX-License-Identifier: Apache-2.0
// The stage1 entry points app/add, app/rm, app/start and app/stop (internals 3.8), told apart by argv[0]:
//   app/VERB --app=NAME [--debug=BOOL] UUID
// The working directory is the pod directory. They ask the pod's supervisor, which does it, and wait.
#include <algorithm>
#include <optional>
#include <span>

#include "common/sys/sys.hh"
#include "stage1/app/control.hh"
#include "stage1/entry_point.hh"

namespace
{

using namespace rocket;
using namespace rocket::stage1;

AppVerb verb_of(std::string_view program)
{
    const auto verb = parse_verb(program.substr(program.rfind('/') + 1));
    if (!verb)
        fail(Error::Kind::usage, "argv[0] is {}, not app/add, app/rm, app/start or app/stop", text::quoted(program));
    return *verb;
}

AppRequest parse_arguments(std::span<char* const> words)
{
    std::optional<model::AppName> app;
    for (const std::string_view word : words.subspan(1)) {
        constexpr std::string_view app_flag = "--app=";
        if (word.starts_with(app_flag))
            app = model::AppName::parse(word.substr(app_flag.size()));
        else if (!word.starts_with("--debug="))
            model::PodId::parse(word); // which pod it is, the working directory says
    }
    if (!app)
        fail(Error::Kind::usage, "--app is needed");
    return {verb_of(words[0]), *app};
}

} // namespace

int main(int argc, char** argv)
{
    return entry_point(argc > 0 ? argv[0] : "app", [&] {
        const auto pod = sys::open(AT_FDCWD, ".", O_RDONLY | O_DIRECTORY);
        ask_supervisor(pod.get(), parse_arguments({argv, static_cast<std::size_t>(std::max(argc, 1))}));
        return 0;
    });
}
