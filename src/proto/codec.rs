//! Checks on the wire: prost's format, from one buffer.

use prost::Message;
use tonic::{
    Status,
    codec::{BufferSettings, Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
};

use super::{CheckRequest, CheckResponse};

/// What is set aside for a message that arrives. A browser's request with its cookies fits; a longer one grows it.
const REQUEST_BYTES: usize = 4 * 1024;
/// What is set aside for an answer.
const RESPONSE_BYTES: usize = 1024;
/// When an encoder lets go of what it has.
const YIELD_BYTES: usize = 32 * 1024;

/// Reads checks and writes answers.
#[derive(Clone, Copy, Debug, Default)]
pub struct CheckCodec;

impl Codec for CheckCodec {
    type Encode = CheckResponse;
    type Decode = CheckRequest;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        *self
    }

    fn decoder(&mut self) -> Self {
        *self
    }
}

impl Decoder for CheckCodec {
    type Item = CheckRequest;
    type Error = Status;

    /// The message is taken out of the connection's buffer once; every field is a slice of it.
    fn decode(&mut self, source: &mut DecodeBuf<'_>) -> Result<Option<CheckRequest>, Status> {
        use bytes::Buf;
        let message = source.copy_to_bytes(source.remaining());
        let check = CheckRequest::decode(message);
        check
            .map(Some)
            .map_err(|error| Status::invalid_argument(error.to_string()))
    }

    fn buffer_settings(&self) -> BufferSettings {
        BufferSettings::new(REQUEST_BYTES, YIELD_BYTES)
    }
}

impl Encoder for CheckCodec {
    type Item = CheckResponse;
    type Error = Status;

    fn encode(&mut self, answer: CheckResponse, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        let encoded = answer.encode(buffer);
        encoded.map_err(|error| Status::internal(error.to_string()))
    }

    fn buffer_settings(&self) -> BufferSettings {
        BufferSettings::new(RESPONSE_BYTES, YIELD_BYTES)
    }
}
