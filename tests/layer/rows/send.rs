//! Converts a row to an HTTP/1.1 or HTTP/2 request.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, Uri};

use super::Row;
use crate::fixture::Words;

impl Row {
    /// Returns the bytes of an HTTP/1.1 request.
    pub(crate) fn http1(&self, words: &Words) -> Vec<u8> {
        if let Some(raw) = self.raw {
            return words.fill(raw.as_bytes());
        }
        let mut request = format!("{} ", self.method).into_bytes();
        request.extend(words.fill(self.target.as_bytes()));
        request.extend_from_slice(b" HTTP/1.1\r\nhost: localhost\r\n");
        for (name, value) in &self.headers {
            request.extend_from_slice(name.as_bytes());
            request.extend_from_slice(b": ");
            request.extend(words.fill(value));
            request.extend_from_slice(b"\r\n");
        }
        request.extend_from_slice(b"\r\n");
        request
    }

    /// Returns the fields of an HTTP/2 request, or of a gRPC request if a method is given.
    pub(crate) fn http2(&self, words: &Words, grpc: Option<&str>) -> Request<()> {
        let mut request = Request::new(());
        let mut target = String::from_utf8(words.fill(self.target.as_bytes())).unwrap();
        *request.method_mut() = Method::from_bytes(self.method.as_bytes()).unwrap();
        if let Some(method) = grpc {
            target = target.replacen("/echo", method, 1);
            *request.method_mut() = Method::POST;
            let headers = request.headers_mut();
            headers.insert("content-type", HeaderValue::from_static("application/grpc"));
            headers.insert("te", HeaderValue::from_static("trailers"));
        }
        let uri = Bytes::from(format!("http://localhost{target}"));
        *request.uri_mut() = Uri::from_maybe_shared(uri).unwrap();
        for (name, value) in &self.headers {
            let value = HeaderValue::from_bytes(&words.fill(value)).unwrap();
            request.headers_mut().append(HeaderName::from_static(name), value);
        }
        request
    }
}
