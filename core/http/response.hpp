#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "core/http/header_map.hpp"

namespace aim::http {

// One answer. Servers add Content-Length, Date and Connection; everything else stands here.
struct Response {
    int status = 200;
    HeaderMap headers;
    std::string body;

    static Response Json(int status, std::string body) {
        Response response;
        response.status = status;
        response.headers.Add("Content-Type", "application/json");
        response.body = std::move(body);
        return response;
    }
    static Response Text(int status, std::string_view content_type, std::string body) {
        Response response;
        response.status = status;
        response.headers.Add("Content-Type", content_type);
        response.body = std::move(body);
        return response;
    }
};

// "OK", "Not Found" …; "Unknown" for a status that has no name here.
std::string_view ReasonPhrase(int status);

}  // namespace aim::http
