//! Opening a case: its applicant sealed, written with the message that tells of the acceptance.

use deadpool_postgres::GenericClient;
use domain::case::Case;
use domain::ids::{ApplicationId, CaseNo};
use domain::personal::Personal;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{Standing, missing, tell};
use crate::fault::Fault;
use crate::hub::Hub;
use crate::seal::Purpose;
use crate::store::cases::{self as rows, CaseRecord, NewCase};

/// The place for which every phone is sealed: messages copy it from table to table.
pub(super) const PHONE: &[u8] = b"phone";

/// What is told of a case at its acceptance, checked.
#[derive(Clone, Debug, Serialize)]
pub struct Opening {
    /// Its number in the office's own system (受理号).
    pub case_no: CaseNo,
    /// What is applied for.
    pub business_type: String,
    /// When it was accepted.
    pub accepted_at: Timestamp,
    /// The office's promise, in working days (承诺时限).
    pub promised_working_days: u16,
    /// The statutory limit, in working days (法定时限).
    pub legal_working_days: Option<u16>,
    /// The department that handles it.
    pub department: Option<String>,
    /// Who handles it.
    pub handler: Option<String>,
    /// Whose application it is.
    pub applicant: Applicant,
}

/// Who applied.
#[derive(Clone, Debug, Serialize)]
pub struct Applicant {
    /// The name.
    pub name: Personal,
    /// The phone in its normal form.
    pub phone: Option<Personal>,
    /// The language of messages.
    pub locale: String,
}

/// What became of an opening.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opened {
    /// The case is new.
    New,
    /// It was told before, in the same words.
    Same,
}

/// Opens a case in the caller's transaction; call
/// [`wake_dispatch`](crate::hub::Signals::wake_dispatch) after its commit.
///
/// # Errors
/// 409 `case_exists` when the application told of that number with another content.
pub async fn open(
    hub: &Hub,
    tx: &impl GenericClient,
    application: &ApplicationId,
    asked: &Opening,
) -> Result<Opened, Fault> {
    let now = hub.clock.now();
    let (promised, legal) = (asked.promised_working_days, asked.legal_working_days);
    let case = Case::accepted(asked.accepted_at, promised.into());
    let standing = Standing::at(&case, legal.map(u32::from), now)?;
    let clear = serde_json::to_string(asked).map_err(|error| Fault::internal(&error))?;
    let index = hub.sealer.blind_index(Purpose::PersonalData, &clear);
    let kept = keep(hub, application, asked)?;
    let new = NewCase {
        application_id: application,
        case_no: &asked.case_no,
        business_type: &asked.business_type,
        accepted_at: asked.accepted_at,
        promised_working_days: promised.into(),
        legal_working_days: legal.map(i32::from),
        department: asked.department.as_deref(),
        handler: asked.handler.as_deref(),
        applicant_masked: kept.masked,
        applicant_sealed: &kept.sealed,
        phone_sealed: kept.phone.as_ref().map(|(sealed, _)| sealed.as_slice()),
        phone_index: kept.phone.as_ref().map(|(_, index)| index.as_slice()),
        locale: &asked.applicant.locale,
        content_index: &index,
        now,
        standing: standing.after(None),
    };
    if !rows::insert(tx, &new).await? {
        return known(tx, application, asked, &index).await;
    }
    let case = rows::load(tx, application, asked.case_no.as_str()).await?.ok_or_else(missing)?;
    if let Some(phone) = &asked.applicant.phone {
        tell::accepted(hub, tx, &case, &standing, phone).await?;
    }
    Ok(Opened::New)
}

/// Whether a case of that number is the one that is told of.
async fn known(
    tx: &impl GenericClient,
    application: &ApplicationId,
    asked: &Opening,
    index: &[u8],
) -> Result<Opened, Fault> {
    let there = rows::lock(tx, application, asked.case_no.as_str()).await?.ok_or_else(missing)?;
    if there.content_index == index {
        return Ok(Opened::Same);
    }
    let detail = format!("case {} is open already, with another content", asked.case_no);
    Err(Fault::conflict("case_exists", detail).with("case_no", asked.case_no.as_str()))
}

/// What is kept of an applicant.
struct Kept {
    sealed: Vec<u8>,
    masked: Value,
    phone: Option<(Vec<u8>, [u8; 32])>,
}

fn keep(hub: &Hub, application: &ApplicationId, asked: &Opening) -> Result<Kept, Fault> {
    let applicant = &asked.applicant;
    let clear = serde_json::to_vec(applicant).map_err(|error| Fault::internal(&error))?;
    let context = format!("cases.applicant:{application}:{}", asked.case_no);
    let sealed = hub.sealer.seal(Purpose::PersonalData, &clear, context.as_bytes())?;
    let mut masked = Map::new();
    masked.insert("name".to_owned(), json!(applicant.name.masked_name()));
    let mut phone = None;
    if let Some(number) = &applicant.phone {
        masked.insert("phone".to_owned(), json!(number.masked_phone()));
        let text = number.clear();
        phone = Some((
            hub.sealer.seal(Purpose::PersonalData, text.as_bytes(), PHONE)?,
            hub.sealer.blind_index(Purpose::PersonalData, text),
        ));
    }
    Ok(Kept { sealed, masked: Value::Object(masked), phone })
}

/// The phone of a stored case's applicant, opened.
pub(super) fn phone(
    hub: &Hub,
    case: &CaseRecord,
    sealed: Option<&[u8]>,
) -> Result<Option<Personal>, Fault> {
    let Some(sealed) = sealed else { return Ok(None) };
    let clear = hub.sealer.open(Purpose::PersonalData, sealed, PHONE)?;
    let text = String::from_utf8(clear).map_err(|_not_text| {
        Fault::internal(&format!("the phone of case {} is no text", case.case_no))
    })?;
    Ok(Some(Personal::new(text)))
}
