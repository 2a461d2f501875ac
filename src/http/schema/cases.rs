//! Cases.

use utoipa::ToSchema;

/// Who applied. Sealed when stored, shown masked.
#[derive(Debug, ToSchema)]
pub struct Applicant {
    /// 1 to 100 characters.
    pub name: String,
    /// A mainland mobile number, or + and an international number.
    pub phone: Option<String>,
    /// The language of messages; zh-CN when absent.
    pub locale: Option<String>,
}

/// A case to be opened.
#[derive(Debug, ToSchema)]
pub struct CaseRequest {
    /// Its number in the office's own system.
    pub case_no: String,
    /// What is applied for: a registration type's word, or the business's name as people read it.
    pub business_type: String,
    /// When the office accepted it.
    #[schema(format = DateTime)]
    pub accepted_at: String,
    /// The office's promise: 0 to 1000, the day of acceptance not counted.
    pub promised_working_days: u16,
    /// The statutory limit: 0 to 1000.
    pub legal_working_days: Option<u16>,
    /// The department that handles it.
    pub department: Option<String>,
    /// Who handles it.
    pub handler: Option<String>,
    /// Who applied.
    pub applicant: Applicant,
}

/// What happened to a case.
#[derive(Debug, ToSchema)]
pub struct CaseProgress {
    /// supplement, suspended, resumed, approved, registered, `certificate_ready`, closed, rejected
    /// or withdrawn.
    pub event: String,
    /// When; now when absent.
    #[schema(format = DateTime)]
    pub occurred_at: Option<String>,
    /// Why, as the applicant reads it.
    pub reason: Option<String>,
    /// The day by which the applicant has to act.
    #[schema(format = Date)]
    pub due_on: Option<String>,
    /// Where the applicant has to go; the office when absent.
    pub place: Option<String>,
    /// Whom the applicant can ask.
    pub tel: Option<String>,
}

/// An event of a case.
#[derive(Debug, ToSchema)]
pub struct CaseEvent {
    /// Its place, from 1.
    pub seq: i32,
    /// What happened.
    pub event: String,
    /// When.
    #[schema(format = DateTime)]
    pub occurred_at: String,
    /// Why.
    pub reason: Option<String>,
    /// The day by which the applicant has to act.
    #[schema(format = Date)]
    pub due_on: Option<String>,
    /// Where the applicant has to go.
    pub place: Option<String>,
    /// Whom the applicant can ask.
    pub tel: Option<String>,
}

/// The last day of a limit.
#[derive(Debug, ToSchema)]
pub struct Deadline {
    /// The last day in time.
    #[schema(format = Date)]
    pub date: String,
    /// Whether it may still move: the clock stands, or the year's holidays are not announced.
    pub provisional: bool,
}

/// The applicant for people's eyes.
#[derive(Debug, ToSchema)]
pub struct MaskedApplicant {
    /// `张*`.
    pub name: String,
    /// `138****1234`.
    pub phone: Option<String>,
    /// The language of messages.
    pub locale: String,
}

/// A fee in short.
#[derive(Debug, ToSchema)]
pub struct FeeInShort {
    /// fee_….
    pub id: String,
    /// As the fee's own.
    pub status: String,
    /// What is owed in all.
    pub total_fen: i64,
    /// What is still owed.
    pub outstanding_fen: i64,
}

/// A case.
#[derive(Debug, ToSchema)]
pub struct Case {
    /// Its number.
    pub case_no: String,
    /// What is applied for.
    pub business_type: String,
    /// accepted, supplementing, suspended, reviewing, approved, registered, `certificate_ready`,
    /// closed, rejected or withdrawn.
    pub state: String,
    /// When the office accepted it.
    #[schema(format = DateTime)]
    pub accepted_at: String,
    /// The office's promise, in working days.
    pub promised_working_days: u16,
    /// The statutory limit, in working days.
    pub legal_working_days: Option<u16>,
    /// The last day of the promise.
    pub deadline: Deadline,
    /// The last day of the statutory limit.
    pub legal_deadline: Option<Deadline>,
    /// green, yellow or red.
    pub light: String,
    /// The department.
    pub department: Option<String>,
    /// Who handles it.
    pub handler: Option<String>,
    /// Who applied.
    pub applicant: MaskedApplicant,
    /// What was told of it, in order.
    pub timeline: Vec<CaseEvent>,
    /// Its fees, oldest first, at most 200.
    pub fees: Vec<FeeInShort>,
    /// When the hub was told of it.
    #[schema(format = DateTime)]
    pub opened_at: String,
}
