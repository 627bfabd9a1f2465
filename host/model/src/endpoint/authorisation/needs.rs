//! The categories of functions that this host needs of a merchant's account, by WeChat's numbers. A merchant may grant
//! a part.

/// The needed categories; [`warning`] says what each is for.
const MINI_PROGRAM: &[i64] = &[17, 18];
const OFFICIAL_ACCOUNT: &[i64] = &[2, 4];

/// The needed categories that are not among the granted ones: of a mini-program, or else of an official account.
pub fn missing(mini_program: bool, granted: &[i64]) -> Vec<i64> {
    let needs = if mini_program { MINI_PROGRAM } else { OFFICIAL_ACCOUNT };
    needs.iter().filter(|need| !granted.contains(need)).copied().collect()
}

/// What does not work without a category, and how to add it, in words for people.
pub fn warning(category: i64) -> String {
    let what = match category {
        2 => "users of the official account (permission 2): its fans cannot be told apart",
        4 => "web pages (permission 4): users cannot be recognised silently",
        17 => "account management (permission 17): its name and picture cannot be read",
        18 => "development (permission 18): users cannot log in",
        other => return format!("The merchant did not grant permission {other}. Authorise again to add it."),
    };
    format!("The merchant did not grant {what}. Authorise again to add it.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn e10_a_partial_grant_names_what_is_missing() {
        assert_eq!(missing(true, &[1, 17, 99]), [18]);
        assert!(missing(false, &[4, 2]).is_empty());
        assert!(warning(18).contains("18"));
    }
}
