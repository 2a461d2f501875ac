//! A seeded simulation: an office lives some days of orders, payments, refunds and bills while its
//! providers do everything wrong that they can, hubs are killed wherever they stand, and once the
//! database is. After each run nothing is lost and nothing was done twice: `invariants` says what
//! that means. A run is a function of its seed as far as the machine allows; a seed that fails tells
//! its story and is replayed by `./dev simulate`.

mod asks;
mod backend;
mod crash;
mod draw;
mod faults;
mod hands;
mod invariants;
mod live;
mod plan;
mod scene;
mod spoil;
mod story;

use std::collections::VecDeque;
use std::ops::Range;
use std::time::Instant;

use live::Run;
use story::Story;
use tokio::task::JoinSet;

/// The seeds of every test run.
const USUAL: Range<u64> = 1..5;
/// Runs at once: they wait as much as they work.
const LANES: usize = 2;

/// The seeds that are asked for: `PAYHUB_SIMULATION_SEED=7`, or `PAYHUB_SIMULATION_SEEDS=1..200`
/// with the last one left out.
#[allow(clippy::disallowed_methods, reason = "a replay is asked for by the environment")]
fn seeds() -> Range<u64> {
    if let Ok(seed) = std::env::var("PAYHUB_SIMULATION_SEED") {
        let seed = seed.parse().expect("PAYHUB_SIMULATION_SEED is a number");
        return seed..seed + 1;
    }
    let Ok(seeds) = std::env::var("PAYHUB_SIMULATION_SEEDS") else { return USUAL };
    let bounds = seeds
        .split_once("..")
        .and_then(|(first, end)| Some(first.parse().ok()?..end.parse().ok()?));
    bounds.expect("PAYHUB_SIMULATION_SEEDS is FIRST..END")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_goes_wrong_nothing_is_lost_and_nothing_is_done_twice() {
    let mut waiting: VecDeque<u64> = seeds().collect();
    assert!(!waiting.is_empty(), "no seeds");
    let mut lanes = JoinSet::new();
    while !(waiting.is_empty() && lanes.is_empty()) {
        while lanes.len() < LANES
            && let Some(seed) = waiting.pop_front()
        {
            lanes.spawn(lives(seed));
        }
        if let Some(ended) = lanes.join_next().await {
            ended.unwrap().unwrap_or_else(|story| panic!("{story}"));
        }
    }
}

/// One run; its story when it fails.
#[allow(clippy::print_stdout, reason = "how long a seed takes is worth knowing")]
async fn lives(seed: u64) -> Result<(), String> {
    let story = Story::default();
    let teller = story.clone();
    let begun = Instant::now();
    let run = tokio::spawn(async move { one(seed, &teller).await });
    let ended = run.await.unwrap_or_else(|panic| Err(format!("it panicked: {panic}")));
    let steps = ended.map_err(|why| story.failed(&why))?;
    println!("seed {seed}: {steps} steps, {:.1} s", begun.elapsed().as_secs_f64());
    Ok(())
}

async fn one(seed: u64, story: &Story) -> Result<usize, String> {
    let plan = draw::plan(seed);
    story.begin(&plan);
    let run = Run::live(&plan, story).await?;
    story.phase("the books are examined");
    let breaks = invariants::broken(&run).await?;
    if !breaks.is_empty() {
        return Err(format!("{} breaks\n  {}", breaks.len(), breaks.join("\n  ")));
    }
    run.scene.close().await;
    Ok(plan.steps.len())
}
