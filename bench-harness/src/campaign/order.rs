//! In which order the labels of a cell run.
//!
//! Rows of a Williams square, in which over a whole square each label stands in each place equally often and follows each
//! other label equally often, so that neither place nor neighbour can favour a strategy.

use crate::random::Generator;

/// The order of `labels` labels in round `round` of a cell, as indices. `seed_of` gives a seed for each square.
pub fn row(labels: usize, round: u32, seed_of: impl Fn(u32) -> u64) -> Vec<usize> {
    let rows = williams(labels);
    let height = u32::try_from(rows.len()).expect("a session has a few labels").max(1);
    let mut generator = Generator(seed_of(round / height));
    let mut symbols: Vec<usize> = (0..labels).collect();
    generator.shuffle(&mut symbols);
    // Each half of an odd square has every label in every place once: shuffled apart, a session that ends between them is
    // still balanced by place.
    let order: Vec<usize> = (0..rows.len())
        .collect::<Vec<_>>()
        .chunks_mut(labels.max(1))
        .flat_map(|half| {
            generator.shuffle(half);
            half.to_vec()
        })
        .collect();
    let row = order.get((round % height) as usize).map_or(&[][..], |&index| &rows[index]);
    row.iter().map(|&place| symbols[place]).collect()
}

/// A Williams square: `n` rows for an even number of labels, twice as many for an odd one.
fn williams(n: usize) -> Vec<Vec<usize>> {
    let zigzag: Vec<usize> = (0..n).map(|i| if i % 2 == 0 { i / 2 } else { n - i.div_ceil(2) }).collect();
    let forward = (0..n).map(|shift| zigzag.iter().map(|place| (place + shift) % n).collect::<Vec<_>>());
    if n.is_multiple_of(2) {
        return forward.collect();
    }
    let backward = forward.clone().map(|row| row.into_iter().rev().collect());
    forward.chain(backward).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn square(labels: usize, seed: u64) -> Vec<Vec<usize>> {
        let height = if labels.is_multiple_of(2) { labels } else { 2 * labels };
        (0..height as u32).map(|round| row(labels, round, |square| seed ^ u64::from(square))).collect()
    }

    #[test]
    fn over_a_square_each_label_is_in_each_place_equally_often() {
        for labels in 1..=9 {
            let rows = square(labels, 7);
            let mut places = BTreeMap::new();
            for row in &rows {
                for (place, label) in row.iter().enumerate() {
                    *places.entry((place, *label)).or_insert(0) += 1;
                }
            }
            assert_eq!(places.len(), labels * labels, "{labels} labels");
            assert!(places.values().all(|n| *n == rows.len() / labels), "{labels} labels: {places:?}");
        }
    }

    #[test]
    fn over_a_square_each_label_follows_each_other_equally_often() {
        for labels in 2..=9 {
            let rows = square(labels, 7);
            let mut pairs = BTreeMap::new();
            for pair in rows.iter().flat_map(|row| row.windows(2)) {
                *pairs.entry((pair[0], pair[1])).or_insert(0) += 1;
            }
            assert_eq!(pairs.len(), labels * (labels - 1), "{labels} labels");
            assert!(pairs.values().all(|n| *n == rows.len() / labels), "{labels} labels: {pairs:?}");
        }
    }

    #[test]
    fn half_an_odd_square_is_balanced_by_place() {
        let rows = &square(7, 99)[..7];
        for place in 0..7 {
            let mut labels: Vec<_> = rows.iter().map(|row| row[place]).collect();
            labels.sort_unstable();
            assert_eq!(labels, [0, 1, 2, 3, 4, 5, 6], "place {place}");
        }
    }

    #[test]
    fn squares_differ_and_a_seed_repeats_them() {
        assert_eq!(square(7, 1), square(7, 1));
        assert_ne!(square(7, 1), square(7, 2));
        let next: Vec<_> = (14..28).map(|round| row(7, round, |square| 1 ^ u64::from(square))).collect();
        assert_ne!(square(7, 1), next, "the second square is another one");
    }
}
