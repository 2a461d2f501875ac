//! Every statement, by the name of its file. A test prepares each against the migrated schema.

/// Declares the statements: one constant a file, and the list of all.
macro_rules! statements {
    ($($name:ident = $file:literal),+ $(,)?) => {
        $(
            #[doc = concat!("`sql/", $file, ".sql`")]
            pub(crate) const $name: &str = include_str!(concat!("sql/", $file, ".sql"));
        )+

        /// Every statement with its file's name.
        pub const ALL: &[(&str, &str)] = &[$(($file, $name)),+];
    };
}

statements! {
    APPLICATIONS_BY_KEY = "applications_by_key",
    APPLICATIONS_ENDPOINT = "applications_endpoint",
    APPLICATIONS_ENDPOINT_GONE = "applications_endpoint_gone",
    APPLICATIONS_INSERT = "applications_insert",
    APPLICATIONS_LIST = "applications_list",
    APPLICATIONS_REVOKE = "applications_revoke",
    APPLICATIONS_UPSERT = "applications_upsert",
    CALLBACKS_GET = "callbacks_get",
    CALLBACKS_REFUSE = "callbacks_refuse",
    EFFECTS_RECORD = "effects_record",
    EVENTS_AFTER = "events_after",
    EVENTS_INSERT = "events_insert",
    EVENTS_POSITION = "events_position",
    FEE_BALANCES_LOCK = "fee_balances_lock",
    FEES_BY_CASE = "fees_by_case",
    FEES_INSERT = "fees_insert",
    FEES_LOAD = "fees_load",
    FEES_LOCK = "fees_lock",
    FEES_VOID = "fees_void",
    IDEMPOTENCY_BEGIN = "idempotency_begin",
    IDEMPOTENCY_FINISH = "idempotency_finish",
    IDEMPOTENCY_FORGET = "idempotency_forget",
    IDEMPOTENCY_GET = "idempotency_get",
    IDEMPOTENCY_RELEASE = "idempotency_release",
    INCIDENTS_INSERT = "incidents_insert",
    JOURNAL_ENTRIES_READ = "journal_entries_read",
    JOURNAL_HEADS_LOCK = "journal_heads_lock",
    JOURNAL_HEADS_READ = "journal_heads_read",
    LEDGER_BREAKS = "ledger_breaks",
    LIVE_ORDERS_DELETE = "live_orders_delete",
    MONTH_PREPARE = "month_prepare",
    NOTIFICATIONS_BY_DEDUPE_KEY = "notifications_by_dedupe_key",
    NOTIFICATIONS_BY_VENDOR_REF = "notifications_by_vendor_ref",
    NOTIFICATIONS_INSERT = "notifications_insert",
    NOTIFICATIONS_LOAD = "notifications_load",
    NOTIFICATIONS_LOCK = "notifications_lock",
    NOTIFICATIONS_MOVE = "notifications_move",
    ORDER_ALLOCATIONS_INSERT = "order_allocations_insert",
    ORDERS_ANSWERED = "orders_answered",
    ORDERS_CLAIM = "orders_claim",
    ORDERS_INSERT = "orders_insert",
    ORDERS_LOAD = "orders_load",
    ORDERS_LOCK = "orders_lock",
    ORDERS_LOCK_BY_NUMBER = "orders_lock_by_number",
    ORDERS_PLACE_CALL = "orders_place_call",
    ORDERS_RESCHEDULE = "orders_reschedule",
    PAID_NOTICES_INSERT = "paid_notices_insert",
    PROVIDER_CALLS_INSERT = "provider_calls_insert",
    REFUNDS_ANSWERED = "refunds_answered",
    REFUNDS_BY_NUMBER = "refunds_by_number",
    REFUNDS_CALL = "refunds_call",
    REFUNDS_CLAIM = "refunds_claim",
    REFUNDS_DECIDE = "refunds_decide",
    REFUNDS_INSERT = "refunds_insert",
    REFUNDS_LOAD = "refunds_load",
    REFUNDS_RESCHEDULE = "refunds_reschedule",
}
