//! The public library: the templates that come with Berth (M1). Their ids, and the places of their keywords, never change:
//! templates of MiniApps name them. New keywords go to the end.

use std::sync::LazyLock;

use berth_base::{
    error::{Error, Result},
    text::text_enum,
};
use serde::{Deserialize, Serialize};

use super::MessageFieldType;

text_enum! {
    /// How often a consent allows a message.
    SubscriptionKind {
        /// One message for each consent.
        OneTime = "one_time",
        /// Messages until the user withdraws the consent, at most 5 a day: for public services only.
        LongTerm = "long_term",
    }
}

text_enum! {
    /// What a template is about.
    MessageCategory {
        /// Orders of goods.
        Shopping = "shopping",
        /// Restaurants and cafés.
        Catering = "catering",
        /// Parcels and couriers.
        Logistics = "logistics",
        /// Flights, trains, hotels and cars.
        Travel = "travel",
        /// Hospitals and pharmacies.
        Health = "health",
        /// Schools and courses.
        Education = "education",
        /// Banks and insurances.
        Finance = "finance",
        /// Public administration.
        Government = "government",
        /// Water, power, homes and personal services.
        Living = "living",
        /// Shows, meetings and draws.
        Events = "events",
        /// Other services.
        Services = "services",
    }
}

impl MessageCategory {
    /// The category in Chinese, by which it is found too.
    fn zh(self) -> &'static str {
        match self {
            Self::Shopping => "购物",
            Self::Catering => "餐饮",
            Self::Logistics => "物流",
            Self::Travel => "出行",
            Self::Health => "医疗",
            Self::Education => "教育",
            Self::Finance => "金融",
            Self::Government => "政务",
            Self::Living => "生活",
            Self::Events => "活动",
            Self::Services => "服务",
        }
    }
}

/// A text in both languages.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct BothLanguages {
    pub en: String,
    pub zh: String,
}

/// A keyword of a public template: one line of the message.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct MessageKeyword {
    /// Its number in the public template.
    pub number: u8,
    /// The name of its field in messages: the type and the number, such as `thing2`.
    pub field: String,
    /// What its value may be.
    #[serde(rename = "type")]
    pub kind: MessageFieldType,
    /// Its name, as the user sees it.
    pub name: BothLanguages,
    /// A value, for previews.
    pub example: String,
}

/// A public template.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct PublicTemplate {
    /// Its id, such as `order-shipped`.
    pub id: String,
    /// How often a consent allows a message.
    pub kind: SubscriptionKind,
    /// What it is about.
    pub category: MessageCategory,
    /// The title of its messages.
    pub title: BothLanguages,
    /// The keywords to choose from.
    pub keywords: Vec<MessageKeyword>,
}

/// Which public templates to list. The conditions are ANDed.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct LibraryQuery {
    /// Only those in whose id, title, category or keywords each of these words is found, in either language.
    #[serde(default)]
    pub search: Option<String>,
    /// Only those of this kind.
    #[serde(default)]
    pub kind: Option<SubscriptionKind>,
    /// Only those of this category.
    #[serde(default)]
    pub category: Option<MessageCategory>,
}

/// A template as the file has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    id: String,
    kind: SubscriptionKind,
    category: MessageCategory,
    en: String,
    zh: String,
    keywords: Vec<(MessageFieldType, String, String, String)>,
}

impl From<Written> for PublicTemplate {
    fn from(written: Written) -> Self {
        let keyword = |(number, (kind, en, zh, example)): (u8, _)| {
            let kind: MessageFieldType = kind;
            MessageKeyword { number, field: format!("{kind}{number}"), kind, name: BothLanguages { en, zh }, example }
        };
        Self {
            id: written.id,
            kind: written.kind,
            category: written.category,
            title: BothLanguages { en: written.en, zh: written.zh },
            keywords: (1..).zip(written.keywords).map(keyword).collect(),
        }
    }
}

static LIBRARY: LazyLock<Vec<PublicTemplate>> = LazyLock::new(|| {
    let written: Vec<Written> = serde_json::from_str(include_str!("library.json")).unwrap_or_default();
    written.into_iter().map(PublicTemplate::from).collect()
});

/// All public templates.
pub fn library() -> &'static [PublicTemplate] {
    &LIBRARY
}

/// The public template with this id.
///
/// # Errors
/// `not-found` when there is none.
pub fn public_template(id: &str) -> Result<&'static PublicTemplate> {
    library().iter().find(|one| one.id == id).ok_or_else(|| Error::not_found("public template", id))
}

impl LibraryQuery {
    /// The public templates that are asked for.
    pub fn find(&self) -> impl Iterator<Item = &'static PublicTemplate> {
        let words: Vec<_> =
            self.search.as_deref().unwrap_or_default().to_lowercase().split_whitespace().map(str::to_owned).collect();
        let (kind, category) = (self.kind, self.category);
        library().iter().filter(move |one| {
            kind.is_none_or(|kind| one.kind == kind)
                && category.is_none_or(|category| one.category == category)
                && words.iter().all(|word| one.words().contains(word))
        })
    }
}

impl PublicTemplate {
    /// Everything by which it is found, in lower case.
    fn words(&self) -> String {
        let keywords = self.keywords.iter().flat_map(|keyword| [&*keyword.name.en, &*keyword.name.zh]);
        let own = [&*self.id, &*self.title.en, &*self.title.zh, self.category.as_str(), self.category.zh()];
        own.into_iter().chain(keywords).collect::<Vec<_>>().join("\n").to_lowercase()
    }

    /// The keywords with these numbers, in this order (M2).
    ///
    /// # Errors
    /// `invalid-field` unless there are 1 to 5, each of the template and each once.
    pub fn choose(&self, numbers: &[u8]) -> Result<Vec<MessageKeyword>> {
        if !(1..=5).contains(&numbers.len()) {
            return Err(Error::field("keywords", format!("choose 1 to 5 keywords; these are {}.", numbers.len())));
        }
        let mut chosen: Vec<MessageKeyword> = Vec::with_capacity(numbers.len());
        for number in numbers {
            let keyword = self.keywords.iter().find(|keyword| keyword.number == *number).ok_or_else(|| {
                Error::field(
                    "keywords",
                    format!("{} has the keywords 1 to {}, not {number}.", self.id, self.keywords.len()),
                )
            })?;
            if chosen.contains(keyword) {
                return Err(Error::field("keywords", format!("the keyword {number} is chosen twice.")));
            }
            chosen.push(keyword.clone());
        }
        Ok(chosen)
    }
}

/// How a message of a title and these lines looks, each line a name and a value.
pub fn preview<'a>(
    title: &BothLanguages,
    lines: impl Iterator<Item = (&'a BothLanguages, &'a str)> + Clone,
) -> BothLanguages {
    let text = |title: &str, name: fn(&BothLanguages) -> &String| {
        let lines = lines.clone().map(|(words, value)| format!("{}: {value}", name(words)));
        std::iter::once(title.to_owned()).chain(lines).collect::<Vec<_>>().join("\n")
    };
    BothLanguages { en: text(&title.en, |words| &words.en), zh: text(&title.zh, |words| &words.zh) }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn m1_the_library_has_templates_of_both_kinds_in_all_categories_with_examples_that_fit() {
        let written: Vec<Written> = serde_json::from_str(include_str!("library.json")).unwrap();
        assert!(written.len() == library().len() && library().len() >= 30);
        let ids: BTreeSet<_> = library().iter().map(|one| &one.id).collect();
        assert_eq!(ids.len(), library().len(), "an id is there twice");
        for one in library() {
            assert!(
                !one.title.en.is_empty() && !one.title.zh.is_empty() && (3..=8).contains(&one.keywords.len()),
                "{}",
                one.id
            );
            for keyword in &one.keywords {
                let example = &keyword.example;
                assert!(keyword.kind.fits(example), "{} {} {example}: {}", one.id, keyword.field, keyword.kind.rule());
                assert!(!keyword.name.en.is_empty() && !keyword.name.zh.is_empty(), "{}", one.id);
            }
        }
        let categories: BTreeSet<_> = library().iter().map(|one| one.category).collect();
        assert_eq!(categories.len(), MessageCategory::ALL.len());
        // Long-term ones are for public services.
        let public = ["travel", "health", "education", "finance", "government", "living"];
        let long = library().iter().filter(|one| one.kind == SubscriptionKind::LongTerm);
        assert!(long.clone().count() > 9 && long.clone().all(|one| public.contains(&one.category.as_str())));
    }

    #[test]
    fn m1_templates_are_found_by_words_of_both_languages_by_kind_and_by_category() {
        let found = |search: Option<&str>, kind, category| {
            let query = LibraryQuery { search: search.map(Into::into), kind, category };
            query.find().map(|one| one.id.as_str()).collect::<Vec<_>>()
        };
        assert_eq!(found(Some("SHIPPED order"), None, None), ["order-shipped"]);
        assert_eq!(found(Some("发货"), None, None), ["order-shipped"]);
        assert_eq!(found(Some("取餐码"), None, None), ["meal-ready"]);
        assert_eq!(found(Some("政务"), None, None), found(None, None, Some(MessageCategory::Government)));
        assert_eq!(found(None, Some(SubscriptionKind::OneTime), Some(MessageCategory::Finance)), [""; 0]);
        assert_eq!(found(Some("nothing like it"), None, None), [""; 0]);
        assert_eq!(found(None, None, None).len(), library().len());
    }

    #[test]
    fn m2_1_to_5_keywords_are_chosen_in_an_order() {
        let template = public_template("order-shipped").unwrap();
        let fields = |numbers: &[u8]| {
            template.choose(numbers).map(|chosen| chosen.into_iter().map(|keyword| keyword.field).collect::<Vec<_>>())
        };
        assert_eq!(fields(&[2, 1]).unwrap(), ["thing2", "character_string1"]);
        assert_eq!(fields(&[1, 2, 3, 4, 5]).unwrap().len(), 5);
        for wrong in [&[][..], &[1, 2, 3, 4, 5, 6], &[1, 1], &[0], &[7]] {
            assert_eq!(fields(wrong).unwrap_err().fields["pointer"], "/keywords", "{wrong:?}");
        }
    }
}
