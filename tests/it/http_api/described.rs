//! What `/openapi.json` says of refusals, held against those that are really answered.

use reqwest::Method;

use super::{Heard, OTHER, OTHER_KEY, call, fee_body, post, send};
use crate::harness::World;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_status_that_is_answered_is_described() {
    let world = World::open_with(OTHER).await;
    let document = send(call(&world, Method::GET, "/openapi.json")).await.json();
    let check = |path: &str, method: &str, heard: &Heard| {
        let described = &document["paths"][path][method]["responses"];
        let status = heard.status.to_string();
        assert!(described[&status].is_object(), "{method} {path}: {status}: {}", heard.json());
        let code = heard.json()["code"].as_str().unwrap_or_default().to_owned();
        let said = described[&status]["description"].as_str().unwrap_or_default();
        assert!(heard.status == 404 || said.contains(&code), "{method} {path}: {code} in {said}");
    };
    let nobody = world.client().post(world.url("/v1/fees"));
    check("/v1/fees", "post", &send(nobody.body(fee_body("1"))).await);
    check("/v1/fees", "post", &send(post(&world, "/v1/fees", "a b", "{}")).await);
    check("/v1/fees", "post", &send(post(&world, "/v1/fees", "k", "{")).await);
    check("/v1/fees", "post", &send(post(&world, "/v1/fees", "k", "{}")).await);
    let large = " ".repeat(1024 * 1024 + 1);
    check("/v1/fees", "post", &send(post(&world, "/v1/fees", "l", &large)).await);
    for (path, method, asked) in [
        ("/v1/fees", "get", call(&world, Method::GET, "/v1/fees?case=1")),
        ("/v1/events", "get", call(&world, Method::GET, "/v1/events?limit=0")),
        ("/v1/events", "get", call(&world, Method::GET, "/v1/events?after=evt_0")),
        ("/v1/incidents", "get", call(&world, Method::GET, "/v1/incidents?state=lost")),
        ("/v1/reconciliations", "get", call(&world, Method::GET, "/v1/reconciliations?limit=x")),
        ("/v1/orders/{id}", "get", call(&world, Method::GET, "/v1/orders/ord_0")),
        (
            "/v1/webhook-endpoint/rotate-secret",
            "post",
            post(&world, "/v1/webhook-endpoint/rotate-secret", "r", "{\"overlap_hours\":169}"),
        ),
        (
            "/v1/webhook-endpoint/disable",
            "post",
            world.client().post(world.url("/v1/webhook-endpoint/disable")).bearer_auth(OTHER_KEY),
        ),
        (
            "/v1/incidents/{id}/close",
            "post",
            post(&world, "/v1/incidents/inc_0/close", "i", "{\"note\":\"\"}"),
        ),
    ] {
        let heard = send(asked).await;
        assert!(heard.status >= 400, "{method} {path}: {}", heard.status);
        check(path, method, &heard);
    }
    world.finish().await;
}
