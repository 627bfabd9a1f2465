//! The word that was meant, when nothing has the one that was said.

/// The known word that is nearest to one that is not known: by a few letters, or because it contains it, as `versions.publish`
/// does `publish`. `None` when none is near.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.trim_end_matches(['*', '.']).to_lowercase();
    if word.is_empty() {
        return None;
    }
    let known: Vec<&str> = known.into_iter().collect();
    let most = word.chars().count() / 3;
    let by_letters = known.iter().map(|one| (strsim::osa_distance(one, &word), *one)).min();
    if let Some((_, one)) = by_letters.filter(|(distance, _)| *distance <= most) {
        return Some(one);
    }
    let is_last = |one: &str| one.rsplit('.').next() == Some(&word);
    known.into_iter().filter(|one| one.contains(&word)).min_by_key(|one| (!is_last(one), one.len(), *one))
}

/// The end of a refusal: a question for the nearest word, if there is one.
pub fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(word, known).map(|near| format!(" Did you mean {near:?}?")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_found_by_letters_and_by_parts() {
        let known = ["version.published", "version.deleted", "versions.publish", "privacy.publish_version"];
        for (word, near) in [
            ("version.publish", Some("versions.publish")),
            ("version.publised", Some("version.published")),
            ("Version.Deleted", Some("version.deleted")),
            ("publish", Some("versions.publish")),
            ("privacy", Some("privacy.publish_version")),
            ("deleted.*", Some("version.deleted")),
            ("moon", None),
            ("*", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, known), near, "{word}");
        }
        assert_eq!(did_you_mean("publish", known), " Did you mean \"versions.publish\"?");
        assert_eq!(did_you_mean("moon", known), "");
    }
}
