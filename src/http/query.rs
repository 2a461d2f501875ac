//! Query strings, read strictly: a misspelt parameter is told, not ignored.

use actix_web::{HttpRequest, web};
use serde::de::DeserializeOwned;

use super::address;
use crate::fault::Fault;

/// How many rows a list has when nobody says otherwise, and at most.
const PAGE: (i64, i64) = (50, 200);

/// Reads the query string.
///
/// # Errors
/// 400 `invalid_query`, naming what is wrong.
pub(super) fn read<T: DeserializeOwned>(http: &HttpRequest) -> Result<T, Fault> {
    if address::holds_nul(http.query_string()) {
        return Err(Fault::unreadable("invalid_query", "holds a NUL character (%00)"));
    }
    web::Query::<T>::from_query(http.query_string())
        .map(web::Query::into_inner)
        .map_err(|error| Fault::unreadable("invalid_query", error.to_string()))
}

/// The page size that a `limit` asks for.
///
/// # Errors
/// 400 `invalid_query` outside its bounds.
pub(super) fn page(limit: Option<i64>) -> Result<i64, Fault> {
    let (usual, most) = PAGE;
    let limit = limit.unwrap_or(usual);
    if (1..=most).contains(&limit) {
        Ok(limit)
    } else {
        let detail = format!("limit must be between 1 and {most}");
        Err(Fault::unreadable("invalid_query", detail))
    }
}
