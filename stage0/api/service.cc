// SPDX-License-Identifier: Apache-2.0
#include "stage0/api/service.hh"

#include <ctime>

#include "common/model/ac_version.hh"
#include "common/sys/log.hh"
#include "common/sys/text.hh"
#include "stage0/api/describe.hh"
#include "stage0/api/events.hh"
#include "stage0/api/filters.hh"
#include "stage0/api/logs.hh"
#include "stage0/store/catalog.hh"

namespace rocket::api
{

namespace
{

// Streams look up this often whether their reader is still there.
constexpr std::chrono::milliseconds attention{500};
constexpr const char* rkt_version = "1.30.0"; // what we are compatible with, as in `rocket version`
constexpr const char* api_version = "1.0.0-alpha";

grpc::StatusCode code_of(Error::Kind kind)
{
    switch (kind) {
    case Error::Kind::usage:
        return grpc::StatusCode::INVALID_ARGUMENT;
    case Error::Kind::not_found:
        return grpc::StatusCode::NOT_FOUND;
    case Error::Kind::busy:
        return grpc::StatusCode::ABORTED;
    case Error::Kind::unsupported:
        return grpc::StatusCode::UNIMPLEMENTED;
    case Error::Kind::corrupt:
        return grpc::StatusCode::DATA_LOSS;
    case Error::Kind::untrusted:
    case Error::Kind::system:
        break;
    }
    return grpc::StatusCode::INTERNAL;
}

template <typename Act>
grpc::Status answered(Act act) noexcept
{
    try {
        act();
        return grpc::Status::OK;
    } catch (const Error& error) {
        return {code_of(error.kind()), text::printable(error.what())};
    } catch (const std::exception& error) {
        return {grpc::StatusCode::INTERNAL, text::printable(error.what())};
    }
}

// One of many that vanishes, or is broken, does not keep the others from being listed.
template <typename Act>
void one_of_many(const std::string& name, Act act)
{
    try {
        act();
    } catch (const Error& error) {
        if (error.kind() != Error::Kind::not_found)
            log::print("{}: {}", name, error.what());
    }
}

} // namespace

grpc::Status Service::GetInfo(grpc::ServerContext*, const v1alpha::GetInfoRequest*, v1alpha::GetInfoResponse* response)
{
    auto& info = *response->mutable_info();
    info.set_rkt_version(rkt_version);
    info.set_appc_version(model::AcVersion::ours().str());
    info.set_api_version(api_version);
    *info.mutable_global_flags() = flags_;
    return grpc::Status::OK;
}

grpc::Status Service::ListPods(grpc::ServerContext*, const v1alpha::ListPodsRequest* request,
                               v1alpha::ListPodsResponse* response)
{
    return answered([&] {
        for (const auto& place : pod::walk(layout_, pod::visible_stages()))
            one_of_many("pod " + place.id.str(), [&] {
                const auto pod = pod::Pod::open(layout_, place.id);
                if (!pod)
                    return;
                auto message = describe(*pod, request->detail());
                if (is_wanted(message, request->filters()))
                    *response->add_pods() = std::move(message);
            });
    });
}

grpc::Status Service::InspectPod(grpc::ServerContext*, const v1alpha::InspectPodRequest* request,
                                 v1alpha::InspectPodResponse* response)
{
    return answered([&] { *response->mutable_pod() = describe(pod::find(layout_, request->id()), true); });
}

grpc::Status Service::ListImages(grpc::ServerContext*, const v1alpha::ListImagesRequest* request,
                                 v1alpha::ListImagesResponse* response)
{
    return answered([&] {
        const store::Store store{layout_};
        for (const auto& entry : store.list())
            one_of_many("image " + entry.id.str(), [&] {
                auto message = describe(store, entry, request->detail());
                if (is_wanted(message, request->filters()))
                    *response->add_images() = std::move(message);
            });
    });
}

grpc::Status Service::InspectImage(grpc::ServerContext*, const v1alpha::InspectImageRequest* request,
                                   v1alpha::InspectImageResponse* response)
{
    return answered([&] {
        const auto id = model::ImageId::parse(request->id());
        const auto entry = store::read_entry(layout_, id);
        if (!entry)
            fail(Error::Kind::not_found, "no image {}", id.str());
        *response->mutable_image() = describe(store::Store{layout_}, *entry, true);
    });
}

grpc::Status Service::stream(const std::function<void()>& act)
{
    struct Place {
        std::atomic<int>& taken;
        const bool is_free = ++taken <= most_streams;
        ~Place() { --taken; }
    } const place{streams_};
    if (!place.is_free)
        return {grpc::StatusCode::RESOURCE_EXHAUSTED, fmt::format("there are {} streams already", most_streams)};
    return answered(act);
}

grpc::Status Service::ListenEvents(grpc::ServerContext* context, const v1alpha::ListenEventsRequest* request,
                                   grpc::ServerWriter<v1alpha::ListenEventsResponse>* writer)
{
    return stream([&] {
        Events events{layout_};
        writer->SendInitialMetadata(); // from here on nothing is missed
        const auto until = request->filter().until_time();
        while (!context->IsCancelled() && (until <= 0 || std::time(nullptr) <= until)) {
            v1alpha::ListenEventsResponse response;
            for (const auto& event : events.wait(attention))
                if (is_wanted(event, request->filter()))
                    *response.add_events() = event;
            if (response.events_size() > 0 && !writer->Write(response))
                return;
        }
    });
}

grpc::Status Service::GetLogs(grpc::ServerContext* context, const v1alpha::GetLogsRequest* request,
                              grpc::ServerWriter<v1alpha::GetLogsResponse>* writer)
{
    return stream([&] {
        send_logs(pod::find(layout_, request->pod_id()), *request, [&](const std::vector<std::string>& lines) {
            v1alpha::GetLogsResponse response;
            for (const auto& line : lines)
                response.add_lines(line);
            return !context->IsCancelled() && (lines.empty() || writer->Write(response));
        });
    });
}

} // namespace rocket::api
