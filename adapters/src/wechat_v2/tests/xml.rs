//! The strict reader and the safe writer.

use std::time::Instant;

use proptest::prelude::*;

use crate::wechat_v2::xml::{Fields, read, write};

fn fields(pairs: &[(&str, &str)]) -> Fields {
    Fields::from_iter(pairs.iter().copied())
}

#[track_caller]
fn check(text: &str, expected: &[(&str, &str)]) {
    assert_eq!(read("xml", text.as_bytes()).map(|got| write(&got)), Ok(write(&fields(expected))));
}

#[track_caller]
fn check_refused(text: &str, why: &str) {
    let refused = read("xml", text.as_bytes()).unwrap_err().to_string();
    assert!(refused.contains(why), "{refused}");
}

#[test]
fn fields_are_read_as_wechat_writes_them() {
    check("<xml></xml>", &[]);
    check("<xml/>", &[]);
    check("<xml><a>1</a></xml>", &[("a", "1")]);
    check("\n<xml>\n  <a> 1 </a>\t<b/>\r\n</xml>\n", &[("a", " 1 "), ("b", "")]);
    check("<xml><a><![CDATA[<b>&]]></a></xml>", &[("a", "<b>&")]);
    check("<xml><a>x<![CDATA[]]]]><![CDATA[>]]>y</a></xml>", &[("a", "x]]>y")]);
    check("<xml><a>&lt;&gt;&amp;&quot;&apos;&#33487;&#x82CF;</a></xml>", &[("a", "<>&\"'苏苏")]);
    check("<?xml version=\"1.0\" encoding=\"utf-8\"?><xml><a>1</a></xml>", &[("a", "1")]);
    check(
        "<xml><coupon_fee_$0>1</coupon_fee_$0><A9>2</A9></xml>",
        &[("coupon_fee_$0", "1"), ("A9", "2")],
    );
}

#[test]
fn t18_what_declares_a_document_type_is_refused_whatever_is_in_it() {
    let why = "document type";
    check_refused("<!DOCTYPE xml><xml/>", why);
    check_refused(
        "<?xml version=\"1.0\"?><!DOCTYPE foo [<!ENTITY xxe SYSTEM \"http://tst.qq.com/x\">]><xml><a>&xxe;</a></xml>",
        why,
    );
    check_refused("<!DOCTYPE xml SYSTEM \"http://127.0.0.1:1/x.dtd\"><xml/>", why);
    check_refused("<xml><a>A<!DOCTYPE x>B</a></xml>", why);
    check_refused("<xml><!DOCTYPE x></xml>", why);
    check_refused("<xml></xml><!DOCTYPE x>", why);
}

#[test]
fn t18_a_billion_laughs_are_refused_at_once() {
    let mut bomb = "<!DOCTYPE lolz [<!ENTITY lol0 \"lol\">".to_owned();
    for n in 1..10 {
        let before = format!("&lol{};", n - 1).repeat(10);
        bomb += &format!("<!ENTITY lol{n} \"{before}\">");
    }
    bomb += "]><xml><a>&lol9;</a></xml>";
    let begun = Instant::now();
    check_refused(&bomb, "document type");
    // Without a declaration the names mean nothing.
    check_refused("<xml><a>&lol9;</a></xml>", "not a character");
    assert!(begun.elapsed().as_millis() < 200);
}

#[test]
fn t18_what_is_too_deep_or_too_large_is_refused_at_once() {
    let begun = Instant::now();
    check_refused("<xml><a><b>1</b></a></xml>", "field in a field");
    check_refused("<xml><a><b/></a></xml>", "field in a field");
    check_refused(&format!("<xml>{}", "<a>".repeat(20_000)), "field in a field");
    let most = format!("<xml><a>{}</a></xml>", "x".repeat(64 * 1024 - 18));
    assert!(most.len() == 64 * 1024 && read("xml", most.as_bytes()).is_ok());
    check_refused(&format!("{most} "), "64 KiB");
    check_refused(&"<xml>".repeat(1024 * 1024), "64 KiB");
    assert!(begun.elapsed().as_secs() < 2);
}

#[test]
fn t18_nothing_but_plain_fields_under_one_root_is_read() {
    for (text, why) in [
        ("", "too early"),
        ("   ", "too early"),
        ("<xml>", "too early"),
        ("<xml><a>1", "too early"),
        ("<foo><a>1</a></foo>", "not one root"),
        ("<xml><a>1</a></xml><xml><a>2</a></xml>", "not one root"),
        ("<xml/>tail", "not one root"),
        ("head<xml/>", "not one root"),
        ("<xml>text<a>1</a></xml>", "not one root"),
        ("<xml>&#97;</xml>", "not one root"),
        ("<xml><![CDATA[ ]]></xml>", "not one root"),
        ("<xml><a>1</a><a>2</a></xml>", "twice"),
        ("<xml><a/><a/></xml>", "twice"),
        ("<xml><a>1</b></xml>", "well-formed"),
        ("<xml><a>1</a></foo>", "well-formed"),
        ("<xml><a>1</a ></xml>", "well-formed"),
        ("<xml><a>&</a></xml>", "well-formed"),
        ("<xml><a>&nbsp;</a></xml>", "not a character"),
        ("<xml><a>&#0;</a></xml>", "not a character"),
        ("<xml><a>&#x1;</a></xml>", "not a character"),
        ("<xml><a>&#x110000;</a></xml>", "not a character"),
        ("<xml><a>\u{0}</a></xml>", "forbids"),
        ("<xml><a>\u{FFFE}</a></xml>", "forbids"),
        ("<xml><a b=\"1\">1</a></xml>", "attribute"),
        ("<xml xmlns=\"x\"><a>1</a></xml>", "attribute"),
        ("<xml><a-b>1</a-b></xml>", "name"),
        ("<xml><登>1</登></xml>", "name"),
        ("<xml><!-- a --><a>1</a></xml>", "comment"),
        ("<xml><a>1<!-- a -->2</a></xml>", "comment"),
        ("<xml><?php x?></xml>", "instruction"),
        (" <?xml version=\"1.0\"?><xml/>", "instruction"),
        ("<?xml version=\"1.0\"?><?xml version=\"1.0\"?><xml/>", "instruction"),
        ("<?xml version=\"1.0\" encoding=\"GBK\"?><xml/>", "another encoding"),
    ] {
        check_refused(text, why);
    }
    check_refused(&format!("<xml><{0}>1</{0}></xml>", "a".repeat(65)), "name");
    assert!(read("xml", b"<xml><a>\xff</a></xml>").is_err());
    assert!(read("root", b"<root><a>1</a></root>").is_ok());
    assert!(read("root", b"<xml><a>1</a></xml>").is_err());
}

#[test]
fn values_are_not_printed_by_accident() {
    assert_eq!(format!("{:?}", fields(&[("openid", "oUpF8")])), "{\"openid\"}");
}

proptest! {
    #[test]
    fn whatever_is_written_is_read_again(
        pairs in proptest::collection::btree_map(
            "[A-Za-z0-9_$]{1,20}",
            "([ -~]|[甲-龥]|😀|]]>|]]|<!\\[CDATA\\[|&amp;|<|\n){0,12}",
            0..20,
        )
    ) {
        let fields: Fields = pairs.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        prop_assert_eq!(read("xml", write(&fields).as_bytes()), Ok(fields));
    }

    #[test]
    fn t19_no_bytes_make_the_reader_fail(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _refused_or_read = read("xml", &bytes);
    }

    #[test]
    fn t19_nor_do_broken_texts(
        text in "(<xml>|</xml>|<a>|</a>|<b/>|&#x41;|&amp|<!\\[CDATA\\[|]]>|<!--|<\\?|<!DOCTYPE|x|\\s){0,20}"
    ) {
        if let Ok(fields) = read("xml", text.as_bytes()) {
            prop_assert_eq!(read("xml", write(&fields).as_bytes()), Ok(fields));
        }
    }
}
