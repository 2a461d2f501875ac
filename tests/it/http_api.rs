//! The rules that hold for every call of a backend service: who may call, which bodies are read,
//! what a repeat gets, and how a fault is told.

mod described;

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::harness::{World, word};

/// A second backend service.
const OTHER: &str = r#"
[[applications]]
id = "other"
api_key = "phk_another_service_000000000000000000000"
"#;
const OTHER_KEY: &str = "phk_another_service_000000000000000000000";

/// Work that goes on for longer than anybody waits for a lock, until the gate is opened.
const GATE: &str = "
    CREATE TABLE gate ();
    CREATE FUNCTION pass_the_gate() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM set_config('lock_timeout', '0', true);
        LOCK TABLE gate IN SHARE MODE;
        RETURN NEW;
    END $$;
    CREATE TRIGGER gate BEFORE INSERT ON fees FOR EACH ROW EXECUTE FUNCTION pass_the_gate()";

/// What came back: status, the headers asked for, and the body's bytes.
struct Heard {
    status: u16,
    headers: reqwest::header::HeaderMap,
    body: Vec<u8>,
}

impl Heard {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Whether it is the problem that is expected.
    #[track_caller]
    fn is_problem(&self, status: u16, code: &str) {
        let body = self.json();
        assert_eq!((self.status, body["code"].as_str()), (status, Some(code)), "{body}");
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(body["status"], json!(status));
        for member in ["type", "title", "detail", "request_id"] {
            assert!(body[member].is_string(), "{member} in {body}");
        }
    }
}

async fn send(request: RequestBuilder) -> Heard {
    let answer = request.send().await.unwrap();
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    Heard { status, headers, body: answer.bytes().await.unwrap().to_vec() }
}

fn call(world: &World, method: Method, path: &str) -> RequestBuilder {
    world.client().request(method, world.url(path)).bearer_auth(payhub::demo::Office::api_key())
}

fn post(world: &World, path: &str, key: &str, body: &str) -> RequestBuilder {
    call(world, Method::POST, path).header("idempotency-key", key).body(body.to_owned())
}

fn fee_body(case_no: &str) -> String {
    json!({
        "case_no": case_no, "payer": {"name": "张三"},
        "items": [{"code": "REG.RES", "quantity": 1}],
    })
    .to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t28_a_repeat_gets_the_same_answer_byte_for_byte_and_another_body_none() {
    let world = World::open().await;
    let body =
        r#"{"case_no":"1","payer":{"name":"张三"},"items":[{"code":"REG.RES","quantity":1}]}"#;
    let same = r#"{ "items":[{"quantity":1,"code":"REG.RES"}], "payer":{"name":"\u5f20三"}, "case_no":"1" }"#;
    let first = send(post(&world, "/v1/fees", "k1", body)).await;
    assert_eq!(first.status, 201);
    for again in [body, same] {
        let again = send(post(&world, "/v1/fees", "k1", again)).await;
        assert_eq!((again.status, &again.body), (201, &first.body));
        assert_eq!(again.header("content-type"), first.header("content-type"));
    }
    send(post(&world, "/v1/fees", "k1", &fee_body("2")))
        .await
        .is_problem(422, "idempotency_key_reused");
    send(post(&world, "/v1/fees/quote", "k1", body))
        .await
        .is_problem(422, "idempotency_key_reused");
    // A refusal is an answer too, its request id included.
    let refused = send(post(&world, "/v1/fees", "k2", r#"{"case_no":1}"#)).await;
    refused.is_problem(422, "invalid_body");
    let again = send(post(&world, "/v1/fees", "k2", r#"{"case_no":1}"#)).await;
    assert_eq!(again.body, refused.body);
    assert_eq!(world.count("SELECT count(*) FROM fees").await, 1);
    send(post(&world, "/v1/fees", "a b", body)).await.is_problem(400, "invalid_idempotency_key");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t29_what_changes_from_try_to_try_does_not_make_another_request() {
    let world = World::open().await;
    let body = |text: &str| text.replace('\'', "\"");
    let first =
        body("{'case_no':'1','payer':{'name':'张三'},'items':[{'code':'REG.RES','quantity':1}]}");
    let turned = body(
        "\r\n{ 'items' : [ {\t'quantity' : 1 , 'code' : 'REG.RES' } ] ,\n 'payer':{ 'name':'张三' }, 'case_no' : '1' }\n",
    );
    let trace = |n: u32| format!("00-{n:032x}-{n:016x}-01");
    let ask = |n: u32, text: &str| {
        post(&world, "/v1/fees", "k", text)
            .header("x-request-id", format!("request-{n}"))
            .header("traceparent", trace(n + 1))
            .header("user-agent", format!("registry/{n}"))
            .header("date", format!("Fri, 30 Nov 2018 01:00:{n:02} GMT"))
            .header(
                "content-type",
                if n.is_multiple_of(2) { "application/json" } else { "text/plain" },
            )
    };
    let answer = send(ask(0, &first)).await;
    assert_eq!(answer.status, 201, "{}", answer.json());
    for (n, text) in [(1, &first), (2, &turned), (3, &turned)] {
        let again = send(ask(n, text)).await;
        assert_eq!((again.status, &again.body), (201, &answer.body), "{n}");
        assert_eq!(again.header("x-request-id"), format!("request-{n}"), "the log knows each");
    }
    assert_eq!(world.count("SELECT count(*) FROM fees").await, 1);
    // Without the key they are two requests, whatever they have in common.
    let request = call(&world, Method::POST, "/v1/fees").header("x-request-id", "request-0");
    assert_eq!(send(request.body(first)).await.status, 201);
    assert_eq!(world.count("SELECT count(*) FROM fees").await, 2);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_at_once_under_one_key_are_one_fee() {
    let world = World::open().await;
    let body = fee_body("1");
    let all = (0..50).map(|_| send(post(&world, "/v1/fees", "k", &body)));
    let answers = futures_util::future::join_all(all).await;
    for answer in &answers {
        assert_eq!((answer.status, &answer.body), (201, &answers[0].body));
    }
    assert_eq!(world.count("SELECT count(*) FROM fees").await, 1);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_outlives_the_caller_and_a_second_request_waits_for_it_ten_seconds() {
    let world = World::open().await;
    let client = world.database().await;
    client.batch_execute(GATE).await.unwrap();
    client.batch_execute("BEGIN; LOCK TABLE gate IN EXCLUSIVE MODE").await.unwrap();
    let body = fee_body("1");
    let impatient = std::time::Duration::from_millis(500);
    let gone = post(&world, "/v1/fees", "k", &body).timeout(impatient).send().await;
    assert!(gone.unwrap_err().is_timeout());
    let begun = std::time::Instant::now();
    let second = send(post(&world, "/v1/fees", "k", &body)).await;
    second.is_problem(409, "idempotency_in_progress");
    assert!(begun.elapsed() >= std::time::Duration::from_secs(10));
    assert_eq!(second.header("retry-after"), "5");
    client.batch_execute("COMMIT").await.unwrap();
    drop(client);
    assert_eq!(send(post(&world, "/v1/fees", "k", &body)).await.status, 201);
    assert_eq!(world.count("SELECT count(*) FROM fees").await, 1);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_of_two_services_are_strangers() {
    let world = World::open_with(OTHER).await;
    let body = fee_body("1");
    let mine = send(post(&world, "/v1/fees", "k", &body)).await;
    let request = world.client().post(world.url("/v1/fees")).bearer_auth(OTHER_KEY);
    let theirs = send(request.header("idempotency-key", "k").body(body)).await;
    assert_eq!((mine.status, theirs.status), (201, 201));
    assert_ne!(mine.json()["id"], theirs.json()["id"]);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hub_that_died_before_it_answered_gives_no_money_back_twice() {
    let world = World::open().await;
    let (_, order, _) = world.paid(payhub::demo::WECHAT, "1").await;
    let path = format!("/v1/orders/{order}/refunds");
    let body = json!({"amount_fen": 1000, "reason": "多收"}).to_string();
    let first = send(post(&world, &path, "k", &body)).await;
    assert_eq!(first.status, 201, "{}", first.json());
    let forgotten = "UPDATE idempotency_keys SET status = NULL, answer = NULL,
                            leased_until = clock_timestamp() - interval '1 second'";
    world.database().await.execute(forgotten, &[]).await.unwrap();
    let again = send(post(&world, &path, "k", &body)).await;
    assert_eq!((again.status, &again.json()["id"]), (200, &first.json()["id"]));
    assert_eq!(world.count("SELECT count(*) FROM refunds").await, 1);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fault_of_ours_frees_the_key() {
    let world = World::open().await;
    let client = world.database().await;
    client.batch_execute("ALTER TABLE fees RENAME TO fees_away").await.unwrap();
    let failed = send(post(&world, "/v1/fees", "k", &fee_body("1"))).await;
    failed.is_problem(500, "internal");
    assert!(!failed.json().to_string().contains("fees_away"), "the cause stays in the log");
    client.batch_execute("ALTER TABLE fees_away RENAME TO fees").await.unwrap();
    assert_eq!(send(post(&world, "/v1/fees", "k", &fee_body("1"))).await.status, 201);
    drop(client);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_a_live_key_opens_and_only_ones_own_is_there() {
    let world = World::open_with(OTHER).await;
    let path = "/v1/fees?case_no=1";
    for request in [
        world.client().get(world.url(path)),
        world.client().get(world.url(path)).bearer_auth("phk_wrong"),
        world.client().get(world.url(path)).basic_auth("registry", Some("x")),
    ] {
        let refused = send(request).await;
        refused.is_problem(401, "unauthorized");
        assert!(refused.header("www-authenticate").starts_with("Bearer"));
    }
    let (fee, order, _) = world.paid(payhub::demo::WECHAT, "1").await;
    for path in [format!("/v1/fees/{fee}"), format!("/v1/orders/{order}")] {
        let request = world.client().get(world.url(&path)).bearer_auth(OTHER_KEY);
        send(request).await.is_problem(404, "not_found");
        assert_eq!(send(call(&world, Method::GET, &path)).await.status, 200);
    }
    let theirs = world.client().get(world.url(path)).bearer_auth(OTHER_KEY);
    assert_eq!(send(theirs).await.json()["data"], json!([]));
    let void = world.client().post(world.url(&format!("/v1/fees/{fee}/void")));
    send(void.bearer_auth(OTHER_KEY)).await.is_problem(404, "not_found");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_cannot_be_taken_is_told_why() {
    let world = World::open().await;
    let send_body = |body: String| send(call(&world, Method::POST, "/v1/fees").body(body));
    send_body("{".to_owned()).await.is_problem(400, "invalid_json");
    send_body(r#"{"case_no":"1","case_no":"2"}"#.to_owned()).await.is_problem(400, "invalid_json");
    let unknown = fee_body("1").replace("payer", "player");
    let refused = send_body(unknown).await;
    refused.is_problem(422, "invalid_body");
    assert!(word(&refused.json(), "detail").contains("player"));
    let class = fee_body("1").replace("\"quantity\":1", "\"quantity\":1,\"reason\":\"mood\"");
    let refused = send_body(class).await;
    refused.is_problem(422, "invalid_body");
    assert_eq!(word(&refused.json(), "path"), "items[0].reason");
    let fits = " ".repeat(1024 * 1024 - fee_body("1").len());
    assert_eq!(send_body(fee_body("1") + &fits).await.status, 201);
    send_body(fee_body("2") + &fits + " ").await.is_problem(413, "body_too_large");
    send_body(" ".repeat(8 * 1024 * 1024)).await.is_problem(413, "body_too_large");
    let callback = world.client().post(world.url("/callbacks/registry-wechat"));
    send(callback.body(" ".repeat(256 * 1024 + 1))).await.is_problem(413, "body_too_large");
    send(call(&world, Method::GET, "/v1/fees?case=1")).await.is_problem(400, "invalid_query");
    send(call(&world, Method::DELETE, "/v1/fees")).await.is_problem(405, "method_not_allowed");
    send(call(&world, Method::GET, "/v2/fees")).await.is_problem(404, "not_found");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_is_known_by_one_id() {
    let world = World::open().await;
    let with = |id: &str| call(&world, Method::GET, "/v1/fees/fee_0").header("x-request-id", id);
    let heard = send(with("req-7")).await;
    assert_eq!(
        (heard.header("x-request-id"), &heard.json()["request_id"]),
        ("req-7", &json!("req-7"))
    );
    let heard = send(with("a b")).await;
    assert_eq!(heard.header("x-request-id").len(), 32, "one of ours replaces what is no id");
    assert_eq!(heard.json()["request_id"], json!(heard.header("x-request-id")));
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_sees_that_the_hub_lives_works_and_what_it_did() {
    let world = World::open().await;
    let get = |path: &str| send(world.client().get(world.url(path)));
    assert_eq!(get("/healthz").await.json(), json!({"status": "ok"}));
    let ready = get("/readyz").await;
    assert_eq!((ready.status, &ready.json()["checks"]["migrations"]), (200, &json!("ok")));
    world.fee("1").await;
    let metrics = String::from_utf8(get("/metrics").await.body).unwrap();
    let fees = r#"payhub_http_requests_total{method="POST",route="/v1/fees",status="201"} 1"#;
    assert!(metrics.contains(fees), "{metrics}");
    let client = world.database().await;
    client
        .batch_execute("UPDATE refinery_schema_history SET version = version - 1000")
        .await
        .unwrap();
    let ready = get("/readyz").await;
    assert_eq!(ready.status, 503);
    assert!(ready.json().to_string().contains("payhub migrate"), "{}", ready.json());
    client
        .batch_execute("UPDATE refinery_schema_history SET version = version + 1000")
        .await
        .unwrap();
    drop(client);
    let docs = get("/docs").await;
    assert_eq!((docs.status, docs.header("content-type")), (200, "text/html; charset=utf-8"));
    assert!(!String::from_utf8(docs.body).unwrap().contains("http://"), "it loads nothing foreign");
    world.finish().await;
}

/// Every `resource("/…")` of the program's HTTP part.
fn routes() -> Vec<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/http");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files
        .filter(|path| path.extension().is_some_and(|ending| ending == "rs"))
        .flat_map(|path| {
            let text: String = std::fs::read_to_string(path).unwrap().split_whitespace().collect();
            let found = text.split("resource(\"").skip(1).map(|rest| rest.split('"').next());
            found.map(|route| route.unwrap().to_owned()).collect::<Vec<_>>()
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_route_is_described_and_every_description_is_a_route() {
    let world = World::open().await;
    let described = send(world.client().get(world.url("/openapi.json"))).await.json();
    assert!(described["openapi"].as_str().unwrap().starts_with("3."));
    let paths = described["paths"].as_object().unwrap();
    for (path, methods) in paths {
        for method in methods.as_object().unwrap().keys() {
            let real = path.replace("{form}", "csv").replace(['{', '}'], "");
            let method = method.to_uppercase().parse().unwrap();
            let heard = send(call(&world, method, &real)).await;
            let body = heard.json();
            let detail = body["detail"].as_str().unwrap_or_default();
            assert!(heard.status != 405 && !detail.contains("address"), "{path}: {body}");
        }
    }
    let routes = routes();
    assert!(routes.len() > 20, "{routes:?}");
    for route in routes {
        assert!(paths.contains_key(&route), "{route} is not described");
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_port_that_is_taken_is_one_line_with_its_mend() {
    let world = World::open().await;
    let refused = payhub::http::bind(world.address());
    let line = refused.unwrap_err().to_string();
    assert!(
        line.contains(&world.address().to_string()) && line.contains("server.listen"),
        "{line}"
    );
    assert!(!line.contains('\n'));
    world.finish().await;
}
