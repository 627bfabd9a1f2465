//! The word that was meant, when nothing has the one that was said.

/// How many words are named at most.
const MOST: usize = 3;

/// The known words that are nearest to one that is not known, the best first: those that differ by a few letters, or else those
/// that contain it, as `versions.publish` does `publish`.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let word = word.trim_end_matches(['*', '.']).to_lowercase();
    if word.is_empty() {
        return Vec::new();
    }
    let known: Vec<&str> = known.into_iter().collect();
    let distances = known.iter().map(|one| strsim::osa_distance(one, &word));
    let least = distances.min().filter(|least| *least <= word.chars().count() / 3);
    let is_near = |one: &&str| least.is_some_and(|least| strsim::osa_distance(one, &word) == least);
    let is_last = |one: &&str| one.rsplit('.').next() == Some(&word);
    let contains = |one: &&str| one.contains(&word);
    let ways: [&dyn Fn(&&str) -> bool; 3] = [&is_near, &is_last, &contains];
    let mut found = ways.into_iter().map(|way| known.iter().copied().filter(way).collect::<Vec<_>>());
    let mut found = found.find(|found| !found.is_empty()).unwrap_or_default();
    found.sort_unstable_by_key(|one| (one.len(), *one));
    found.dedup();
    found.truncate(MOST);
    found
}

/// The end of a refusal: a question for the nearest words, if there are any.
pub fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let near: Vec<_> = nearest(word, known).iter().map(|one| format!("{one:?}")).collect();
    if near.is_empty() { String::new() } else { format!(" Did you mean {}?", near.join(" or ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_words_are_found_by_letters_and_by_parts() {
        let known =
            ["version.published", "version.deleted", "versions.publish", "privacy.publish", "privacy.publish_all"];
        for (word, near) in [
            ("version.publish", &["versions.publish"][..]),
            ("version.publised", &["version.published"]),
            ("Version.Deleted", &["version.deleted"]),
            ("publish", &["privacy.publish", "versions.publish"]),
            ("privacy", &["privacy.publish", "privacy.publish_all"]),
            ("deleted.*", &["version.deleted"]),
            ("moon", &[]),
            ("*", &[]),
            ("", &[]),
        ] {
            assert_eq!(nearest(word, known), near, "{word}");
        }
        let asked = did_you_mean("publish", known);
        assert_eq!(asked, " Did you mean \"privacy.publish\" or \"versions.publish\"?");
        assert_eq!(did_you_mean("moon", known), "");
    }
}
