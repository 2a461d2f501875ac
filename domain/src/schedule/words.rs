//! The closed vocabularies of a quote item, in exactly the contract's words. A word outside them is
//! refused with the field's name and the word, since a cause that is not understood must not price.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Declares an enum of words with its field name, its text form and its reading.
macro_rules! words {
    (
        $(#[$doc:meta])*
        $name:ident in $field:literal { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+ }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
        }

        impl $name {
            /// Every value, in the contract's order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Its word in the API and in the schedule's file.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let word = String::deserialize(deserializer)?;
                Self::ALL.iter().copied().find(|known| known.as_str() == word).ok_or_else(|| {
                    de::Error::custom(format_args!(
                        "{}: unknown value {word:?}, expected one of {}",
                        $field,
                        [$($word),+].join(", "),
                    ))
                })
            }
        }
    };
}

words! {
    /// What kind of registration is applied for (登记类型).
    RegistrationType in "registration_type" {
        /// First registration (首次登记).
        First = "first",
        /// Transfer to another holder (转移登记).
        Transfer = "transfer",
        /// Change of what is registered, same holder (变更登记).
        Change = "change",
        /// Correction of the register (更正登记).
        Correction = "correction",
        /// Objection to an entry (异议登记).
        Objection = "objection",
        /// Seizure by a court or authority (查封登记).
        Seizure = "seizure",
        /// Cancellation of a right (注销登记).
        Cancellation = "cancellation",
        /// Advance notice (预告登记).
        AdvanceNotice = "advance_notice",
        /// Mortgage (抵押权登记).
        Mortgage = "mortgage",
        /// Easement (地役权登记).
        Easement = "easement",
        /// A certificate issued again or replaced (补证、换证).
        Reissue = "reissue",
    }
}

words! {
    /// Who applies, as far as the schedule distinguishes (申请人类别).
    ApplicantClass in "applicant_class" {
        /// A natural person (自然人).
        Individual = "individual",
        /// A small or micro enterprise (小微企业).
        SmallMicro = "small_micro",
        /// A self-employed household (个体工商户).
        SelfEmployed = "self_employed",
        /// Any other enterprise or organisation (企业).
        Enterprise = "enterprise",
        /// A member of a rural collective (农村集体经济组织成员).
        RuralCollectiveMember = "rural_collective_member",
    }
}

words! {
    /// The cause of the registration, as far as the schedule distinguishes (登记原因).
    Reason in "reason" {
        /// A change of holder between spouses (夫妻间权利人变更).
        Spouses = "spouses",
        /// An address changed by administrative re-division (行政区划调整).
        ReDivision = "re_division",
        /// The office's own error (登记机构错误).
        OfficeError = "office_error",
        /// A certificate was lost or damaged (证书丢失、损坏).
        LostOrDamaged = "lost_or_damaged",
        /// A homestead, alone or with its house (宅基地).
        Homestead = "homestead",
    }
}
