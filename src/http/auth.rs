//! Who calls: the backend service whose API key stands in the `Authorization` header.

use actix_web::HttpRequest;
use actix_web::http::header::AUTHORIZATION;
use domain::ids::ApplicationId;

use super::shared::Shared;
use crate::fault::Fault;
use crate::hub::Hub;
use crate::store::applications;

/// The longest key that is looked at.
const LONGEST_KEY: usize = 256;

/// The application that calls.
///
/// # Errors
/// 401 without a live key.
pub(super) async fn caller(shared: &Shared, http: &HttpRequest) -> Result<ApplicationId, Fault> {
    let mut given = http.headers().get_all(AUTHORIZATION);
    let (Some(header), None) = (given.next(), given.next()) else {
        return Err(Fault::unauthorized());
    };
    let key = header.to_str().ok().and_then(bearer).ok_or_else(Fault::unauthorized)?;
    let hash = shared.hub.sealer.api_key_hash(key);
    let hub = shared.hub.clone();
    shared.run(async move { find(&hub, &hash).await }).await?
}

async fn find(hub: &Hub, key_hash: &[u8]) -> Result<ApplicationId, Fault> {
    let client = hub.store.client().await?;
    applications::by_key(&client, key_hash).await?.ok_or_else(Fault::unauthorized)
}

/// The key of `Bearer <key>`; the scheme's letters may be large or small.
fn bearer(header: &str) -> Option<&str> {
    let (scheme, key) = header.split_once(' ')?;
    let key = key.trim();
    let is_key = !key.is_empty() && key.len() <= LONGEST_KEY && !key.contains(' ');
    (scheme.eq_ignore_ascii_case("bearer") && is_key).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_bearer_key_is_a_key() {
        assert_eq!(bearer("Bearer abc"), Some("abc"));
        assert_eq!(bearer("bearer  abc"), Some("abc"));
        for bad in ["", "abc", "Bearer", "Bearer ", "Basic abc", "Bearer a b"] {
            assert_eq!(bearer(bad), None, "{bad:?}");
        }
        assert_eq!(bearer(&format!("Bearer {}", "k".repeat(257))), None);
    }
}
