//! What part of everything a verb is about; the same flags for every verb, but `--core`, of which sessions know nothing.

use std::path::Path;

use clap::Args;

use super::{Problem, names};
use crate::campaign::{Choice, Copies};
use crate::record::{LIMIT, Plan, Session};
use crate::strategies;
use crate::workload::definition::{Callers, Cell, Workload};
use crate::workload::{self, is_workload};

/// What part of all workloads a verb is about.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
#[command(next_help_heading = "Filters")]
pub(super) struct Filters {
    #[command(flatten)]
    pub(super) part: Part,
    /// Core cells only: those that `cargo bench` measures
    #[arg(long)]
    pub(super) core: bool,
}

/// What part a verb is about, of all workloads or of a session.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
#[command(next_help_heading = "Filters")]
pub(super) struct Part {
    /// Workloads, by name or as a file ending in `.toml` [default: all that `list` shows]
    #[arg(long, value_name = "NAME,..", value_delimiter = ',')]
    pub(super) workload: Vec<String>,
    /// Strategies, by name [default: all]; the control, its twin and `limit` are part of every comparison
    #[arg(long, value_name = "NAME,..", value_delimiter = ',')]
    pub(super) strategy: Vec<String>,
    /// Cells, by id or by its first parts: `threads` and `threads-16` both choose `threads-16-10us`
    #[arg(long, value_name = "ID,..", value_delimiter = ',')]
    pub(super) cell: Vec<String>,
    /// Cells with these callers: `threads` block, `tasks` are async
    #[arg(long, value_name = "KIND,..", value_delimiter = ',', value_parser = callers)]
    pub(super) callers: Vec<Callers>,
    /// Cells with these numbers of clients
    #[arg(long, value_name = "N,..", value_delimiter = ',', value_parser = clients)]
    pub(super) clients: Vec<usize>,
}

fn callers(text: &str) -> Result<Callers, String> {
    let known = [Callers::Threads, Callers::Tasks];
    known.into_iter().find(|callers| callers.to_string() == text).ok_or_else(|| {
        let names = known.map(|callers| callers.to_string());
        names::unknown("kind", text, &[&names[0], &names[1]])
    })
}

fn clients(text: &str) -> Result<usize, String> {
    text.parse()
        .map_err(|_| format!("`{text}` is not a number of clients; write whole numbers, like `16` or `4,16`"))
}

impl Filters {
    /// The chosen workloads, each with its chosen cells; none without.
    pub(super) fn workloads(&self) -> Result<Vec<Workload>, Problem> {
        let mut workloads = self.files()?;
        self.part.check_cells(
            workloads.iter().flat_map(|workload| workload.cells.iter().map(|cell| cell.id.as_str())),
        )?;
        for workload in &mut workloads {
            workload.cells.retain(|cell| self.has(cell));
        }
        workloads.retain(|workload| !workload.cells.is_empty());
        if workloads.is_empty() {
            return Err(Problem::Usage(
                "no cell has all that the filters ask for; `list` shows the cells".to_owned(),
            ));
        }
        Ok(workloads)
    }

    fn files(&self) -> Result<Vec<Workload>, Problem> {
        let shipped = workload::shipped().map_err(|error| Problem::error(&error))?;
        if self.part.workload.is_empty() {
            return Ok(shipped);
        }
        let mut chosen: Vec<Workload> = Vec::new();
        for name in &self.part.workload {
            let workload = self.file(name, &shipped)?;
            match chosen.iter().find(|other| other.name == workload.name) {
                Some(other) if *other == workload => {}
                Some(_) => {
                    let name = &workload.name;
                    return Err(Problem::Usage(format!(
                        "two different workloads are called `{name}`; rename one file"
                    )));
                }
                None => chosen.push(workload),
            }
        }
        Ok(chosen)
    }

    fn file(&self, name: &str, shipped: &[Workload]) -> Result<Workload, Problem> {
        if is_workload(Path::new(name)) {
            return workload::read(Path::new(name)).map_err(|error| Problem::usage(&error));
        }
        let found = shipped.iter().find(|workload| workload.name == name).cloned();
        found.ok_or_else(|| {
            let known: Vec<_> = shipped.iter().map(|workload| workload.name.as_str()).collect();
            let unknown = names::unknown("workload", name, &known);
            Problem::Usage(format!("{unknown}; a file of your own is given by a path that ends in .toml"))
        })
    }

    /// The chosen strategies, in list order.
    pub(super) fn strategies(&self) -> Result<Vec<String>, Problem> {
        let known = strategies::names();
        let chosen = &self.part.strategy;
        self.part.check_strategies(&known)?;
        let is_chosen = |name: &&&str| chosen.is_empty() || chosen.iter().any(|chosen| chosen == **name);
        Ok(known.iter().filter(is_chosen).map(|name| (*name).to_owned()).collect())
    }

    /// What to measure, and a word to the user if more is measured than was asked for.
    pub(super) fn choice(&self) -> Result<(Choice, Option<String>), Problem> {
        let mut strategies = self.strategies()?;
        let control = strategies::CONTROL;
        let is_added = !strategies.iter().any(|name| name == control);
        if is_added {
            let known = strategies::names();
            strategies.push(control.to_owned());
            strategies.sort_by_key(|name| known.iter().position(|known| known == name));
        }
        let note = format!("{control} is measured too: it is the control that every ratio is to");
        let choice = Choice {
            workloads: self.workloads()?,
            strategies,
            control: control.to_owned(),
            copies: Copies::default(),
        };
        Ok((choice, is_added.then_some(note)))
    }

    fn has(&self, cell: &Cell) -> bool {
        self.part.has_point(&cell.id, cell.callers, cell.clients) && (cell.core || !self.core)
    }
}

impl Part {
    /// The part of a session that was chosen; the control with its twin and the limit stay.
    pub(super) fn narrow(&self, session: &mut Session) -> Result<(), Problem> {
        self.check_known(&session.plan)?;
        let Session { plan, trials, histograms, .. } = session;
        let is_kept = |label: &String| {
            // A twin stays with what it repeats.
            let name = plan.strategy_of(label);
            let is_chosen = self.strategy.is_empty() || self.strategy.iter().any(|chosen| chosen == name);
            is_chosen || name == plan.control || name == LIMIT
        };
        let labels = plan.strategies.iter().filter(|label| is_kept(label)).cloned().collect();
        plan.strategies = labels;
        plan.twins.retain(|label, _| plan.strategies.contains(label));
        plan.workloads.retain(|workload| self.workload.is_empty() || self.workload.contains(&workload.name));
        for workload in &mut plan.workloads {
            workload.cells.retain(|cell| self.has_point(&cell.id, cell.callers, cell.clients));
        }
        plan.workloads.retain(|workload| !workload.cells.is_empty());
        if plan.workloads.is_empty() {
            return Err(Problem::Usage("no cell of the session has all that the filters ask for".to_owned()));
        }
        let has_row = |workload: &String, cell: &String, label: &String| {
            let workload = plan.workloads.iter().find(|planned| planned.name == *workload);
            plan.strategies.contains(label)
                && workload.is_some_and(|workload| workload.cells.iter().any(|known| known.id == *cell))
        };
        trials.retain(|trial| has_row(&trial.workload, &trial.cell, &trial.strategy));
        histograms.retain(|row| has_row(&row.workload, &row.cell, &row.strategy));
        Ok(())
    }

    /// Whether a session has what the filters name.
    fn check_known(&self, plan: &Plan) -> Result<(), Problem> {
        let known: Vec<_> = plan.workloads.iter().map(|workload| workload.name.as_str()).collect();
        if let Some(name) = self.workload.iter().find(|name| !known.contains(&name.as_str())) {
            return Err(Problem::Usage(names::unknown("workload", name, &known)));
        }
        self.check_strategies(&plan.strategies.iter().map(String::as_str).collect::<Vec<_>>())?;
        self.check_cells(plan.workloads.iter().flat_map(|w| w.cells.iter().map(|cell| cell.id.as_str())))
    }

    fn check_strategies(&self, known: &[&str]) -> Result<(), Problem> {
        match self.strategy.iter().find(|name| *name != LIMIT && !known.contains(&name.as_str())) {
            Some(name) => Err(Problem::Usage(names::unknown("strategy", name, known))),
            None => Ok(()),
        }
    }

    fn check_cells<'a>(&self, known: impl Iterator<Item = &'a str>) -> Result<(), Problem> {
        let mut known: Vec<_> = known.collect();
        match self.cell.iter().find(|wanted| !known.iter().any(|id| is_part_of(wanted, id))) {
            None => Ok(()),
            Some(wanted) => {
                known.sort_unstable();
                known.dedup();
                Err(Problem::Usage(names::unknown("cell", wanted, &known)))
            }
        }
    }

    fn has_point(&self, id: &str, callers: Callers, clients: usize) -> bool {
        (self.cell.is_empty() || self.cell.iter().any(|wanted| is_part_of(wanted, id)))
            && (self.callers.is_empty() || self.callers.contains(&callers))
            && (self.clients.is_empty() || self.clients.contains(&clients))
    }
}

/// Whether `wanted` is a cell's id, or the first of its parts.
fn is_part_of(wanted: &str, id: &str) -> bool {
    id.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_chosen_by_its_id_or_whole_parts_of_it() {
        for (wanted, id, expected) in [
            ("threads-16", "threads-16", true),
            ("threads-16", "threads-16-10us", true),
            ("threads", "threads-16-10us", true),
            ("threads-1", "threads-16", false),
            ("thread", "threads-16", false),
            ("threads-16-10us", "threads-16", false),
        ] {
            assert_eq!(is_part_of(wanted, id), expected, "{wanted} {id}");
        }
    }

    #[test]
    fn the_control_is_added_and_it_is_said() {
        let others = strategies::names().into_iter().find(|name| *name != strategies::CONTROL).unwrap();
        let part = Part { strategy: vec![others.to_owned()], ..Part::default() };
        let filters = Filters { part, ..Filters::default() };
        let (choice, note) = filters.choice().unwrap();
        assert_eq!(choice.strategies.len(), 2);
        assert!(choice.strategies.contains(&strategies::CONTROL.to_owned()));
        assert!(note.unwrap().contains(strategies::CONTROL));
        assert_eq!(Filters::default().choice().unwrap().1, None);
    }

    #[test]
    fn core_cells_are_a_part_of_all() {
        let cells =
            |filters: Filters| filters.workloads().unwrap().iter().map(|w| w.cells.len()).sum::<usize>();
        let core = cells(Filters { core: true, ..Filters::default() });
        assert!(core > 0 && core < cells(Filters::default()));
    }

    #[test]
    fn filters_together_ask_for_all_at_once() {
        let part = Part { callers: vec![Callers::Threads], clients: vec![16], ..Part::default() };
        let filters = Filters { part, ..Filters::default() };
        for workload in filters.workloads().unwrap() {
            assert!(workload.cells.iter().all(|cell| cell.callers == Callers::Threads && cell.clients == 16));
        }
    }
}
