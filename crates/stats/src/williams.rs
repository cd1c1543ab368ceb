//! Orders in which every model follows every other equally often.
//!
//! What a trial leaves behind (closing connections, heat, a grown origin) falls on the next one.
//! If each model has each predecessor equally often, that burden is shared. The construction is
//! by E. J. Williams, "Experimental designs balanced for the estimation of residual effects of
//! treatments", *Australian Journal of Scientific Research* A 2, 1949, 149–168.

/// Returns the rows of a design for `models` models, each row an order of their indices.
///
/// An even number has as many rows as models; an odd one twice as many, as each row is followed by
/// its reversal. In either case every model stands equally often in every position. Draw the rows
/// in random order, and relabel the models after every full set: the design balances, only chance
/// protects.
#[must_use]
pub fn rows(models: usize) -> Vec<Vec<usize>> {
    let mut rows = Vec::new();

    for shift in 0..models {
        let row: Vec<usize> = first_row(models).map(|model| (model + shift) % models).collect();
        let reversed = row.iter().rev().copied().collect();
        rows.push(row);
        if models % 2 == 1 {
            rows.push(reversed);
        }
    }

    rows
}

/// Returns the order 0, m - 1, 1, m - 2, …, whose steps are all different modulo m.
fn first_row(models: usize) -> impl Iterator<Item = usize> {
    (0..models).map(move |place| match place % 2 {
        0 => place / 2,
        _ => models - 1 - place / 2,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// Checks the number of rows, and that positions and predecessors are balanced.
    fn check(models: usize, count: usize, times: usize) {
        let rows = rows(models);
        let mut positions = BTreeMap::new();
        let mut followers = BTreeMap::new();
        for row in &rows {
            for (position, &model) in row.iter().enumerate() {
                *positions.entry((position, model)).or_insert(0) += 1;
            }
            for pair in row.windows(2) {
                *followers.entry((pair[0], pair[1])).or_insert(0) += 1;
            }
        }

        assert_eq!(rows.len(), count, "{models} models");
        assert_eq!(positions.len(), models * models, "{models} models");
        assert!(positions.values().all(|&counted| counted == times), "{models} models");
        assert_eq!(followers.len(), models * models.saturating_sub(1), "{models} models");
        assert!(followers.values().all(|&counted| counted == times), "{models} models");
        assert!(followers.keys().all(|(before, after)| before != after), "{models} models");
    }

    #[test]
    fn every_even_number_of_models_is_balanced_in_as_many_rows() {
        for models in (0..=30).step_by(2) {
            check(models, models, 1);
        }
    }

    #[test]
    fn every_odd_number_of_models_is_balanced_in_twice_as_many_rows() {
        for models in (1..=29).step_by(2) {
            check(models, 2 * models, 2);
        }
    }

    #[test]
    fn four_models_have_the_rows_of_the_cyclic_design() {
        assert_eq!(rows(4), [[0, 3, 1, 2], [1, 0, 2, 3], [2, 1, 3, 0], [3, 2, 0, 1]]);
    }
}
