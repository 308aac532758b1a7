//! The messages still have what clients of the published ones rely on, and names as buf's STANDARD rules
//! ask for. `scripts/buf.sh` checks more, where npm can install buf.
#![allow(clippy::expect_used, clippy::panic, missing_docs)]

use std::collections::BTreeMap;

use prost::Message;
use prost_types::{
    DescriptorProto, FileDescriptorSet, MethodDescriptorProto, ServiceDescriptorProto,
};
use rootfold_proto::v1::FILE_DESCRIPTOR_SET;

const PUBLISHED: &[u8] = include_bytes!("../rootfold.v1.binpb");

fn files(bytes: &[u8]) -> FileDescriptorSet {
    FileDescriptorSet::decode(bytes).expect("a set of descriptors")
}

fn messages(files: &FileDescriptorSet) -> BTreeMap<&str, &DescriptorProto> {
    let messages = files.file.iter().flat_map(|file| &file.message_type);
    messages.map(|message| (message.name(), message)).collect()
}

fn services(files: &FileDescriptorSet) -> impl Iterator<Item = &ServiceDescriptorProto> {
    files.file.iter().flat_map(|file| &file.service)
}

fn form(call: &MethodDescriptorProto) -> (&str, &str, bool, bool) {
    let streams = (call.client_streaming(), call.server_streaming());
    (call.input_type(), call.output_type(), streams.0, streams.1)
}

#[test]
fn published_fields_and_calls_are_as_they_were() {
    let (before, now) = (files(PUBLISHED), files(FILE_DESCRIPTOR_SET));
    let held = messages(&now);
    assert!(held.len() > 30);
    for (name, published) in messages(&before) {
        let message = held.get(name).unwrap_or_else(|| panic!("{name} is gone"));
        for field in &published.field {
            let same = message.field.iter().find(|other| other.number == field.number);
            let same = same.unwrap_or_else(|| panic!("{name}.{} is gone", field.name()));
            assert_eq!(
                (same.name(), same.r#type(), same.label(), same.type_name()),
                (field.name(), field.r#type(), field.label(), field.type_name()),
                "{name}"
            );
        }
    }
    for published in services(&before) {
        let service = services(&now).find(|service| service.name == published.name);
        let service = service.unwrap_or_else(|| panic!("{} is gone", published.name()));
        for call in &published.method {
            let same = service.method.iter().find(|other| other.name == call.name);
            assert_eq!(same.map(form), Some(form(call)), "{}", call.name());
        }
    }
}

#[test]
fn what_is_there_is_published() {
    let (before, now) = (files(PUBLISHED), files(FILE_DESCRIPTOR_SET));
    let published = messages(&before);
    for (name, message) in messages(&now) {
        let held = published.get(name).map_or(0, |published| published.field.len());
        assert_eq!(held, message.field.len(), "{name}: run `scripts/buf.sh --publish`");
    }
}

#[test]
fn names_say_what_they_are() {
    for service in services(&files(FILE_DESCRIPTOR_SET)) {
        assert!(service.name().ends_with("Service"), "{}", service.name());
        for call in &service.method {
            let expected = |end: &str| format!(".rootfold.v1.{}{end}", call.name());
            assert_eq!(call.input_type(), expected("Request"));
            assert_eq!(call.output_type(), expected("Response"));
        }
    }
}
