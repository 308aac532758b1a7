//! Readers that do not read, and uploads that do not end.

use std::time::{Duration, Instant};

use bytes::Bytes;
use prost::Message;
use rootfold_core::{field, key::Key, F};
use rootfold_proto::v1;

use super::attack::{call, connect, ends_within, frame, rich_node};
use crate::common::{figure, key};

/// The bound of the issue.
const MOST: u64 = 300_000_000;
const CONNECTIONS: usize = 8;
const STREAMS: usize = 64;

fn requests(space: &F) -> [(&'static str, Bytes); 3] {
    let space = field::to_bytes(space).to_vec();
    let range = v1::RangeRequest {
        space: space.clone(),
        at: 1,
        from: key("").as_bytes().to_vec(),
        to: Key::END.as_bytes().to_vec(),
        limit: 1000,
        ..Default::default()
    };
    let log = v1::WriterTip { writer: 1, seq: 0, head: Vec::new() };
    let logs = v1::LogEntriesRequest { space: space.clone(), logs: vec![log] };
    let key = key("key 00003").as_bytes().to_vec();
    let get = v1::GetRequest { space, at: 1, key, root: Vec::new() };
    [
        ("/rootfold.v1.ReplicationService/LogEntries", frame(&logs)),
        ("/rootfold.v1.QueryService/Range", frame(&range)),
        ("/rootfold.v1.QueryService/Get", frame(&get)),
    ]
}

/// Runs the attack with a window of so many bytes for each response.
async fn readers_that_do_not_read(window: u32) {
    let (node, space) = rich_node(120);
    let mut server = node.serve();
    let (began, mut sent, mut calls) = (Instant::now(), 0, Vec::new());
    let mut connections = Vec::new();
    for _ in 0..CONNECTIONS {
        let mut sender = connect(&server.address, window).await;
        for stream in 0..STREAMS {
            let (path, body) = &requests(&space)[stream % 3];
            sender = sender.ready().await.unwrap();
            let (response, mut upload) = call(&mut sender, path);
            sent += body.len();
            upload.send_data(body.clone(), true).unwrap();
            calls.push(tokio::spawn(ends_within(response, Duration::from_secs(40))));
        }
        connections.push(sender);
    }
    assert!(sent < 150_000, "the attack costs little: {sent} bytes");
    let mut all_ended = true;
    for call in calls {
        all_ended &= call.await.unwrap();
    }
    assert!(all_ended, "a call is still open");
    let what = format!("512 calls whose readers have a window of {window}");
    let millis = u64::try_from(began.elapsed().as_millis()).unwrap();
    figure(&format!("ms until the end of {what}"), millis, 35_000);
    figure(&format!("bytes of memory during {what}"), server.peak_memory(), MOST);
    server.terminate();
    assert_eq!(server.wait(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_without_a_window() {
    readers_that_do_not_read(0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_with_a_tiny_window() {
    readers_that_do_not_read(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn half_sent_uploads() {
    let (node, space) = rich_node(1);
    let server = node.serve();
    let submission = v1::Submission { values: vec![large(), large()], batches: Vec::new() };
    let request =
        v1::SubmitRequest { space: field::to_bytes(&space).to_vec(), submission: Some(submission) };
    assert!(request.encoded_len() < 4 << 20);
    let body = frame(&request);
    let half = body.slice(..body.len() / 2);
    let (began, mut calls, mut kept) = (Instant::now(), Vec::new(), Vec::new());
    for _ in 0..CONNECTIONS {
        let mut sender = connect(&server.address, 65_535).await;
        for _ in 0..STREAMS {
            sender = sender.ready().await.unwrap();
            let (response, mut upload) =
                call(&mut sender, "/rootfold.v1.ReplicationService/Submit");
            let _ = upload.send_data(half.clone(), false);
            calls.push(tokio::spawn(ends_within(response, Duration::from_secs(40))));
            kept.push(upload);
        }
    }
    for call in calls {
        assert!(call.await.unwrap(), "an upload is still open");
    }
    let millis = u64::try_from(began.elapsed().as_millis()).unwrap();
    figure("ms until the end of 512 half-sent uploads", millis, 35_000);
    figure("bytes of memory during 512 half-sent uploads", server.peak_memory(), MOST);
}

fn large() -> v1::Value {
    v1::Value { name: None, content: vec![7; 1_500_000] }
}
