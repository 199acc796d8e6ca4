// SPDX-License-Identifier: Apache-2.0
#include "stage0/metadata/answer.hh"

#include <algorithm>
#include <vector>

#include "common/model/image_manifest.hh"
#include "common/model/layout.hh"
#include "common/model/pod_manifest.hh"
#include "common/sys/file.hh"
#include "common/sys/text.hh"

namespace rocket::metadata
{

namespace
{

namespace json = model::json;
using Names = std::vector<std::string>; // what stands for the * of a pattern

struct Question {
    const Request& request;
    const Asker& pod;
    const Keys& keys;
    Names names;
};

Response in_json(std::string body)
{
    return {.body = std::move(body), .is_json = true};
}

model::PodManifest pod_manifest(const Question& question)
{
    return model::PodManifest::parse(file::read(question.pod.dir, model::pod_dir::manifest));
}

// --- about the pod

Response pod_annotations(const Question& question)
{
    return in_json(json::write(model::to_json(pod_manifest(question).annotations)));
}

Response one_annotation(const model::Annotations& annotations, const std::string& name)
{
    const auto* value = model::find(annotations, name);
    return value != nullptr ? plain(200, *value) : plain(404, "no such annotation");
}

Response pod_annotation(const Question& question)
{
    return one_annotation(pod_manifest(question).annotations, question.names[0]);
}

Response whole_pod_manifest(const Question& question)
{
    return in_json(file::read(question.pod.dir, model::pod_dir::manifest));
}

Response pod_uuid(const Question& question)
{
    return plain(200, question.pod.id.str());
}

// --- about an app

struct UnknownApp {
};

model::RuntimeApp app_of(const Question& question)
{
    const auto pod = pod_manifest(question);
    const auto app = std::ranges::find(pod.apps, question.names[0], [](const auto& each) { return each.name.str(); });
    if (app == pod.apps.end())
        throw UnknownApp{};
    return *app;
}

std::string image_manifest_of(const Question& question, const model::RuntimeApp& app)
{
    if (!app.image.id)
        fail(Error::Kind::corrupt, "app {} has no image", text::quoted(app.name.str()));
    return question.pod.image_manifest(*app.image.id);
}

model::Annotations annotations_of_app(const Question& question)
{
    const auto app = app_of(question);
    return model::merged(model::ImageManifest::parse(image_manifest_of(question, app)).annotations, app.annotations);
}

Response app_annotations(const Question& question)
{
    return in_json(json::write(model::to_json(annotations_of_app(question))));
}

Response app_annotation(const Question& question)
{
    return one_annotation(annotations_of_app(question), question.names[1]);
}

Response image_manifest(const Question& question)
{
    return in_json(image_manifest_of(question, app_of(question)));
}

Response image_id(const Question& question)
{
    return plain(200, app_of(question).image.id.value().str()); // a pod that runs has ids
}

// --- signatures

const std::string* field(const Question& question, const std::string& name)
{
    if (!question.request.form)
        return nullptr;
    const auto found = question.request.form->find(name);
    return found == question.request.form->end() || found->second.empty() ? nullptr : &found->second;
}

Response missing(std::string_view name)
{
    return plain(400, fmt::format("a form with the field {} is missing", text::quoted(name)));
}

Response sign(const Question& question)
{
    const auto* content = field(question, "content");
    if (content == nullptr)
        return missing("content");
    return plain(200, question.keys.sign(question.pod.id, *content));
}

Response verify(const Question& question)
{
    for (const auto* name : {"content", "uuid", "signature"})
        if (field(question, name) == nullptr)
            return missing(name);
    try {
        const auto signer = model::PodId::parse(*field(question, "uuid"));
        const bool right = question.keys.verify(signer, *field(question, "content"), *field(question, "signature"));
        return right ? plain(200, "") : plain(403, "the signature is not by this pod over this content");
    } catch (const Error&) {
        return plain(400, "the field \"uuid\" is no UUID");
    }
}

// --- which is meant

struct Route {
    std::string_view pattern; // * stands for a name; the last one for all the rest: names may have slashes
    std::string_view method;
    Response (*answer)(const Question& question);
};

constexpr Route routes[] = {
    {"/pod/annotations", "GET", pod_annotations},
    {"/pod/annotations/*", "GET", pod_annotation},
    {"/pod/manifest", "GET", whole_pod_manifest},
    {"/pod/uuid", "GET", pod_uuid},
    {"/apps/*/annotations", "GET", app_annotations},
    {"/apps/*/annotations/*", "GET", app_annotation},
    {"/apps/*/image/manifest", "GET", image_manifest},
    {"/apps/*/image/id", "GET", image_id},
    {"/pod/hmac/sign", "POST", sign},
    {"/pod/hmac/verify", "POST", verify},
};

std::optional<Names> match(std::string_view pattern, std::string_view path)
{
    Names names;
    for (;;) {
        const auto star = pattern.find('*');
        if (star == std::string_view::npos)
            return path == pattern ? std::optional{names} : std::nullopt;
        if (!path.starts_with(pattern.substr(0, star)))
            return std::nullopt;
        path.remove_prefix(star);
        pattern.remove_prefix(star + 1);
        const auto length = pattern.empty() ? path.size() : std::min(path.find('/'), path.size());
        if (length == 0)
            return std::nullopt;
        names.emplace_back(path.substr(0, length));
        path.remove_prefix(length);
    }
}

} // namespace

Response plain(unsigned status, std::string body)
{
    return {.status = status, .body = std::move(body)};
}

Response answer(const Request& request, const Asker& pod, const Keys& keys)
{
    for (const auto& route : routes) {
        const auto names = match(route.pattern, request.path);
        if (!names)
            continue;
        const bool is_read = request.method == "HEAD" && route.method == "GET";
        if (request.method != route.method && !is_read)
            return {.status = 405,
                    .body = "this is for " + std::string{route.method},
                    .allow = route.method == "GET" ? "GET, HEAD" : std::string{route.method}};
        try {
            return route.answer({request, pod, keys, *names});
        } catch (const UnknownApp&) {
            return plain(404, "no such app");
        }
    }
    return plain(404, "no such path");
}

} // namespace rocket::metadata
