//! Paths of a package: relative to its root, with `/` between their parts.

/// The folder of a path; empty for files in the root.
pub fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// `folder/path` without `.`, `..` and double slashes. A path that leads out of the root ends in the root.
pub fn join(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// A path from the root in its usual form: `/pages/me/`, `./pages/me` and `pages/me` are the same.
pub fn clean(path: &str) -> String {
    join("", path)
}

/// Whether a path is the folder or lies in it. Everything lies in the root, which is empty.
pub fn is_in(path: &str, folder: &str) -> bool {
    folder.is_empty() || path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The folder, the one around it, and so on up to the root.
pub fn upwards(folder: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(folder), |folder| match folder.rsplit_once('/') {
        Some((above, _)) => Some(above),
        None => (!folder.is_empty()).then_some(""),
    })
}

/// The file extension without its dot; empty when there is none.
pub fn ending(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rsplit_once('.').map_or("", |(_, ending)| ending)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_joined_and_cleaned() {
        for (folder, path, joined) in
            [("a/b", "../c", "a/c"), ("a", "./b//c/", "a/b/c"), ("", "/a", "a"), ("a", "../../b", "b"), ("a", "..", "")]
        {
            assert_eq!(join(folder, path), joined);
        }
        assert_eq!(["/a/b/", "./a/b", "a/b"].map(clean), ["a/b"; 3]);
    }

    #[test]
    fn a_folder_whose_name_only_begins_alike_is_another_one() {
        assert!(is_in("shop/a", "shop") && is_in("shop", "shop") && is_in("shop", ""));
        assert!(!is_in("shopping/a", "shop"));
    }

    #[test]
    fn folders_lead_up_to_the_root() {
        assert_eq!(upwards("a/b").collect::<Vec<_>>(), ["a/b", "a", ""]);
        assert_eq!(upwards("").collect::<Vec<_>>(), [""]);
    }

    #[test]
    fn endings_belong_to_the_name() {
        assert_eq!(["a.b/c", "a/b.min.js", "js"].map(ending), ["", "js", ""]);
    }
}
