// SPDX-License-Identifier: Apache-2.0
// v1alpha.PublicAPI (cli 10.2): what pods and images there are, read for each call from their directories; what happens
// to them; what apps have written. Changes nothing, and needs no right but to read. Calls come on gRPC's threads.
#pragma once

#include <v1alpha.grpc.pb.h>

#include <atomic>
#include <functional>

#include "stage0/pod/pod.hh"

namespace rocket::api
{

class Service final : public v1alpha::PublicAPI::Service
{
public:
    // ListenEvents and GetLogs at once: each takes a thread, and other calls are to find one.
    static constexpr int most_streams = 48;

    Service(model::Layout layout, v1alpha::GlobalFlags flags) : layout_{std::move(layout)}, flags_{std::move(flags)} {}

    grpc::Status GetInfo(grpc::ServerContext* context, const v1alpha::GetInfoRequest* request,
                         v1alpha::GetInfoResponse* response) override;
    grpc::Status ListPods(grpc::ServerContext* context, const v1alpha::ListPodsRequest* request,
                          v1alpha::ListPodsResponse* response) override;
    grpc::Status InspectPod(grpc::ServerContext* context, const v1alpha::InspectPodRequest* request,
                            v1alpha::InspectPodResponse* response) override;
    grpc::Status ListImages(grpc::ServerContext* context, const v1alpha::ListImagesRequest* request,
                            v1alpha::ListImagesResponse* response) override;
    grpc::Status InspectImage(grpc::ServerContext* context, const v1alpha::InspectImageRequest* request,
                              v1alpha::InspectImageResponse* response) override;
    grpc::Status ListenEvents(grpc::ServerContext* context, const v1alpha::ListenEventsRequest* request,
                              grpc::ServerWriter<v1alpha::ListenEventsResponse>* writer) override;
    grpc::Status GetLogs(grpc::ServerContext* context, const v1alpha::GetLogsRequest* request,
                         grpc::ServerWriter<v1alpha::GetLogsResponse>* writer) override;

private:
    grpc::Status stream(const std::function<void()>& act);

    std::atomic<int> streams_ = 0;
    model::Layout layout_;
    v1alpha::GlobalFlags flags_;
};

} // namespace rocket::api
