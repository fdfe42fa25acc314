//! A place for things that are made on every visit: it holds so many, and then the oldest goes.

use std::collections::{HashMap, VecDeque};

use uuid::Uuid;

/// How many things a shelf holds; a load test opens more flows than anybody will submit.
const ROOM: usize = 4096;

/// Things by id, the newest [`ROOM`] of them.
#[derive(Debug)]
pub(crate) struct Shelf<T> {
    things: HashMap<Uuid, T>,
    /// By age; an id that was taken stays until its turn comes.
    order: VecDeque<Uuid>,
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self {
            things: HashMap::new(),
            order: VecDeque::new(),
        }
    }
}

impl<T> Shelf<T> {
    pub(crate) fn get(&self, id: Uuid) -> Option<&T> {
        self.things.get(&id)
    }

    /// Puts a thing there, or in the place of one with its id.
    pub(crate) fn put(&mut self, id: Uuid, thing: T) {
        if self.things.insert(id, thing).is_some() {
            return;
        }
        self.order.push_back(id);
        if self.order.len() > ROOM
            && let Some(oldest) = self.order.pop_front()
        {
            self.things.remove(&oldest);
        }
    }

    pub(crate) fn take(&mut self, id: Uuid) -> Option<T> {
        self.things.remove(&id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_goes_first() {
        let mut shelf = Shelf::default();
        let ids: Vec<Uuid> = (0..=ROOM).map(|_| Uuid::new_v4()).collect();
        for (number, id) in ids.iter().enumerate() {
            shelf.put(*id, number);
        }
        assert_eq!(shelf.get(ids[0]), None);
        assert_eq!(shelf.get(ids[1]), Some(&1));
        assert_eq!(shelf.get(ids[ROOM]), Some(&ROOM));
    }

    #[test]
    fn a_thing_can_be_replaced_and_taken() {
        let (mut shelf, id) = (Shelf::default(), Uuid::new_v4());
        shelf.put(id, 1);
        shelf.put(id, 2);
        assert_eq!(shelf.take(id), Some(2));
        assert_eq!(shelf.get(id), None);
    }
}
