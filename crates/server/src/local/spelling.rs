//! The word that was probably meant, for whoever misspelt one.

/// The known word that was probably meant: at most a third of its letters differ.
pub fn nearest<'w>(word: &str, known: impl IntoIterator<Item = &'w str>) -> Option<&'w str> {
    let word = word.to_lowercase();
    let ranked = known.into_iter().map(|known| (distance(&word, &known.to_lowercase()), known)).min()?;
    (ranked.0 <= 1 + ranked.1.len() / 3).then_some(ranked.1)
}

/// How many letters must change (Levenshtein).
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (above, from) in from.chars().enumerate() {
        let mut diagonal = above;
        let mut left = above + 1;
        for (at, to) in to.iter().enumerate() {
            let Some(cell) = row.get_mut(at + 1) else { break };
            let cost = (diagonal + usize::from(from != *to)).min(left + 1).min(*cell + 1);
            (diagonal, left, *cell) = (*cell, cost, cost);
        }
        if let Some(first) = row.first_mut() {
            *first = above + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_slip_is_recognised_and_another_word_is_not() {
        let known = ["chat", "embed"];
        assert_eq!(nearest("chatt", known), Some("chat"));
        assert_eq!(nearest("EMBED", known), Some("embed"));
        assert_eq!(nearest("something-else", known), None);
        assert_eq!(nearest("chat", []), None);
    }
}
