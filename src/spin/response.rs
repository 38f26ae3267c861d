//! Responses, as the platform takes them.

use crate::web::Response;
use http::HeaderMap;
use http_body::Body;
use spin_sdk::http::IntoResponse;
use spin_sdk::wasip3::http::types::{self, ErrorCode, Fields};
use spin_sdk::wasip3::wit_future;

/// What a component gives back.
pub struct Answer(pub(super) Response);

impl IntoResponse for Answer {
    fn into_response(self) -> Result<types::Response, ErrorCode> {
        if !self.0.body().is_end_stream() {
            return self.0.into_response();
        }
        // Without contents there is no stream to make, and no task that writes to it.
        let (trailers_writer, trailers) = wit_future::new(|| Ok(None));
        let (response, _sent) = types::Response::new(fields(self.0.headers())?, None, trailers);
        drop(trailers_writer);
        set_status(&response, self.0.status());
        Ok(response)
    }
}

/// Headers for the platform.
pub(super) fn fields(headers: &HeaderMap) -> Result<Fields, ErrorCode> {
    let headers = headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()));
    Fields::from_list(&headers.collect::<Vec<_>>()).map_err(|error| ErrorCode::InternalError(Some(error.to_string())))
}

pub(super) fn set_status(response: &types::Response, status: http::StatusCode) {
    if response.set_status_code(status.as_u16()).is_err() {
        super::log("a status that the platform does not know");
    }
}
