//! What may be typed, and what is said to who types something else.

use super::*;

fn typed(line: &str) -> Asked {
    parse(line.split(' ').map(OsString::from))
}

#[track_caller]
fn accepts(line: &str) -> Command {
    let asked = typed(line);
    let Asked::Command(command) = asked else { panic!("{line}: {asked:?}") };
    command
}

#[track_caller]
fn refuses(line: &str, naming: &str) {
    let asked = typed(line);
    let Asked::Wrong(message) = asked else { panic!("{line}: {asked:?}") };
    assert_eq!(message.lines().count(), 1, "{line}: {message}");
    assert!(message.contains(naming), "{line}: {message}");
}

#[track_caller]
fn mode(line: &str) -> ReconcileMode {
    let command = accepts(line);
    let Command::Reconcile(args) = command else { panic!("{line}: {command:?}") };
    args.mode().unwrap()
}

#[test]
fn the_demo_is_forty_cases_of_seed_one() {
    let Command::Demo(demo) = accepts("payhub demo --once") else { panic!() };
    assert_eq!((demo.once, demo.cases, demo.seed), (true, 40, 1));
    refuses("payhub demo --cases 0", "--cases");
    refuses("payhub demo --cases many", "--cases");
}

#[test]
fn serve_is_the_whole_hub_unless_a_role_is_named() {
    let Command::Serve(serve) = accepts("payhub serve --config a/payhub.toml") else { panic!() };
    assert_eq!(serve.role, Role::All);
    assert_eq!(serve.config.config, Some(PathBuf::from("a/payhub.toml")));
    let Command::Serve(worker) = accepts("payhub serve --role worker") else { panic!() };
    assert!(worker.role.works() && !worker.role.serves_api());
    refuses("payhub serve --role boss", "boss");
}

#[test]
fn reconcile_is_a_day_or_two_files_and_never_half_of_both() {
    let day = mode("payhub reconcile --merchant registry-wechat --date 2026-11-20");
    assert!(matches!(day, ReconcileMode::Day(_)));
    let files = mode("payhub reconcile --bill b.csv --ledger l.csv --fee-rate 0.6 --out o");
    let ReconcileMode::Offline(files) = files else { panic!("{files:?}") };
    assert_eq!(files.fee_rate, Some(domain::bill::RatePpm(6000)));
    refuses("payhub reconcile", "--bill");
    refuses("payhub reconcile --date 2026-11-20", "--merchant");
    refuses("payhub reconcile --merchant a", "--date");
    refuses("payhub reconcile --merchant a --date 2026-13-01", "2026-13-01");
    refuses("payhub reconcile --merchant a --date 20261120", "YYYY-MM-DD");
    refuses("payhub reconcile --merchant a --date 2026-11-20T00:00:00Z", "YYYY-MM-DD");
    refuses("payhub reconcile --merchant a/b --date 2026-11-20", "a/b");
    refuses("payhub reconcile --bill b.csv", "--ledger");
    refuses("payhub reconcile --bill b.csv --ledger l.csv", "--out");
    refuses("payhub reconcile --merchant a --date 2026-11-20 --bill b", "--bill");
    refuses("payhub reconcile --merchant a --date 2026-11-20 --out o", "--out");
    refuses("payhub reconcile --bill b --ledger l --out o --config c", "--config");
}

#[test]
fn an_unknown_word_is_refused_in_one_line_with_the_nearest_one() {
    refuses("payhub", "--help");
    refuses("payhub serv", "serve");
    refuses("payhub callbacks replay", "ID");
    refuses("payhub callbacks replay evt_1", "evt_1");
    refuses("payhub refund approve rfd_00000000000000000000000000000001", "--user");
}

#[test]
fn help_and_version_are_answers_not_mistakes() {
    for line in ["payhub --help", "payhub --version", "payhub reconcile --help"] {
        assert!(matches!(typed(line), Asked::Text(_)), "{line}");
    }
}

#[test]
fn the_definition_holds_together() {
    use clap::CommandFactory as _;
    CommandLine::command().debug_assert();
}

#[test]
fn webhooks_are_sent_again_in_one_way_at_a_time() {
    let event = format!("evt_{:032}", 1);
    let line = format!("payhub webhooks resend --application registry --event {event}");
    let Command::Webhooks(WebhooksCommand::Resend(args)) = accepts(&line) else { panic!() };
    assert_eq!((args.application.as_str(), args.events.len(), args.dead), ("registry", 1, false));
    accepts("payhub webhooks resend --application registry --dead");
    accepts(
        "payhub webhooks resend --application a --since 2018-11-30T01:00:00Z --until 2018-11-30T02:00:00Z --type fee.paid",
    );
    refuses("payhub webhooks resend --application registry", "--dead");
    refuses("payhub webhooks resend --dead", "--application");
    refuses("payhub webhooks resend --application a --since 2018-11-30T01:00:00Z", "--until");
    refuses("payhub webhooks resend --application a --dead --event 7", "7");
}

#[test]
fn one_thing_is_decided_about_an_endpoint_at_a_time() {
    accepts("payhub webhooks endpoint registry");
    accepts("payhub webhooks endpoint registry --rotate-secret --overlap-hours 0");
    refuses("payhub webhooks endpoint registry --disable --enable", "--enable");
    refuses("payhub webhooks endpoint registry --overlap-hours 3", "--rotate-secret");
    refuses("payhub webhooks endpoint registry --rotate-secret --overlap-hours 169", "169");
    let Command::Webhooks(WebhooksCommand::List(list)) = accepts("payhub webhooks list") else {
        panic!()
    };
    assert_eq!((list.state, list.limit), (Unfinished::Dead, 50));
}

#[test]
fn a_step_of_the_treasury_names_its_event_and_who_took_it() {
    let refund = format!("rfd_{:032}", 1);
    let line = format!("payhub refund treasury {refund} --event returned --user chest --reason no");
    let Command::Refund(RefundCommand::Treasury(told)) = accepts(&line) else { panic!() };
    assert_eq!((told.event, told.user.as_str()), (TreasuryEvent::Returned, "chest"));
    assert_eq!((told.occurred_on, told.reason.as_deref()), (None, Some("no")));
    refuses(&format!("payhub refund treasury {refund} --event verified"), "--user");
    refuses(&format!("payhub refund treasury {refund} --event refunded --user a"), "refunded");
}

#[test]
fn a_step_of_a_difference_names_who_takes_it() {
    let id = "dif_0123456789abcdef0123456789abcdef";
    let propose = format!("payhub difference propose {id} --user a --action write-off --reason x");
    let Command::Difference(DifferenceCommand::Propose(asked)) = accepts(&propose) else {
        panic!()
    };
    assert_eq!(asked.action, domain::difference::Remedy::WriteOff);
    refuses(&format!("payhub difference approve {id}"), "--user");
    refuses(&format!("payhub difference force-match {id} --user a"), "--with");
    refuses(&format!("payhub difference propose {id} --user a --action burn"), "write_off");
    refuses("payhub difference list --status lost", "superseded");
    refuses("payhub user add a", "--role");
    refuses("payhub user add a --role boss", "auditor");
}

#[test]
fn a_confirmation_names_who_and_which() {
    let Command::Bank(BankCommand::Import { file, .. }) = accepts("payhub bank import day.csv")
    else {
        panic!()
    };
    assert_eq!(file, PathBuf::from("day.csv"));
    let id = "stl_00000000000000000000000000000001";
    let line = format!("payhub bank confirm B1 --settlement {id} --settlement {id} --user 张三");
    let Command::Bank(BankCommand::Confirm(args)) = accepts(&line) else { panic!() };
    assert_eq!((args.serial.as_str(), args.settlements.len()), ("B1", 2));
    refuses("payhub bank confirm B1 --user 张三", "--settlement");
    refuses("payhub bank confirm B1 --settlement run_1 --user 张三", "run_1");
    refuses(&format!("payhub bank confirm B1 --settlement {id}"), "--user");
    refuses("payhub bank settlement-file --date 2026-11-20", "--out");
}
