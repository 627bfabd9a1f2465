//! The tree of organisation nodes.

use std::collections::HashMap;

use berth_base::ids::OrgNodeId;

/// Whether `node` is `top` or below it. `parents` maps every node of the merchant to the one above it.
pub fn is_within(parents: &HashMap<OrgNodeId, Option<OrgNodeId>>, node: &OrgNodeId, top: &OrgNodeId) -> bool {
    let mut at = Some(node);
    // No walk is longer than the tree, even if what is stored were a ring.
    for _ in 0..=parents.len() {
        match at {
            Some(node) if node == top => return true,
            Some(node) => at = parents.get(node).and_then(Option::as_ref),
            None => return false,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(number: usize) -> OrgNodeId {
        format!("vid-{number}").parse().expect("vid")
    }

    fn tree(parents: &[(usize, Option<usize>)]) -> HashMap<OrgNodeId, Option<OrgNodeId>> {
        parents.iter().map(|(id, parent)| (node(*id), parent.map(node))).collect()
    }

    #[test]
    fn e9_a_node_is_within_itself_and_within_all_above_it() {
        let tree = tree(&[(1, None), (2, Some(1)), (3, Some(2)), (4, Some(1)), (5, None)]);
        let within = |a, b| is_within(&tree, &node(a), &node(b));
        assert!(within(3, 3) && within(3, 2) && within(3, 1));
        assert!(!within(1, 3) && !within(4, 2) && !within(5, 1) && !within(9, 1));
    }

    #[test]
    fn e9_a_ring_ends_the_walk() {
        let ring = tree(&[(1, Some(2)), (2, Some(1)), (3, None)]);
        assert!(!is_within(&ring, &node(1), &node(3)));
    }
}
