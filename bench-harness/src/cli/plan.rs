//! `plan`: what `run` would do, without doing it.

use std::fmt::Write;

use super::filters::Filters;
use super::schedule::Schedule;
use super::{Problem, Verdict, output, sight};
use crate::campaign::Campaign;
use crate::campaign::plan::about;

#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    filters: Filters,
    #[command(flatten)]
    schedule: Schedule,
}

pub(super) fn run(arguments: &Args, command: Vec<String>) -> Result<Verdict, Problem> {
    let (choice, note) = arguments.filters.choice()?;
    note.iter().for_each(|note| output::say(note));
    let campaign = arguments.schedule.plan(choice, command)?;
    sight::announce(&campaign, &output::results(None));
    let mut text = format!(
        "{}\nseed {}, control {}\n",
        summary(&campaign),
        campaign.plan.master_seed,
        campaign.plan.control
    );
    (0..campaign.plan.rounds).for_each(|round| describe(&mut text, &campaign, round));
    output::print(&text);
    Ok(Verdict::Pass)
}

/// What a campaign will do and take, in one line.
pub(super) fn summary(campaign: &Campaign) -> String {
    let plan = &campaign.plan;
    let (cells, strategies) = (campaign.n_cells(), plan.strategies.len() - plan.twins.len() - 1);
    let (rounds, trials) = (plan.rounds, campaign.n_trials());
    let s = |n: usize| if n == 1 { "" } else { "s" };
    format!(
        "{rounds} round{} of {cells} cell{} with {} strateg{}, a twin of the control and the limit: {trials} trials, \
         about {}",
        s(rounds as usize),
        s(cells),
        strategies,
        if strategies == 1 { "y" } else { "ies" },
        about(campaign.time())
    )
}

/// The order of a round: a line per cell, its labels in turn.
fn describe(text: &mut String, campaign: &Campaign, round: u32) {
    writeln!(text, "\nround {}", round + 1).expect("a string takes all text");
    for cell in campaign.round(round).chunk_by(|a, b| (&a.workload, &a.cell.id) == (&b.workload, &b.cell.id))
    {
        let labels: Vec<_> = cell.iter().map(|spec| spec.label.as_str()).collect();
        let id = format!("{}/{}", cell[0].workload, cell[0].cell.id);
        writeln!(text, "  {id}: {}", labels.join(", ")).expect("a string takes all text");
    }
}
