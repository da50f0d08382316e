//! What errors say: to a program by their effect, to people by their text.

#![cfg(not(any(loom, shuttle)))]

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use update_queue::{
    BoxError, CallError, Effect, Options, ShutdownError, StateMachine, Strategy, SubmitError, UpdateError,
};

/// An update that can neither be printed nor compared.
struct NoDebug;

fn submit_errors() -> Vec<(SubmitError<NoDebug>, &'static str, bool)> {
    vec![
        (SubmitError::Full { update: NoDebug, capacity: 1_024 }, "queue is full (capacity 1024)", false),
        (
            SubmitError::Full { update: NoDebug, capacity: 0 },
            "the lock is held and there is no queue to wait in",
            false,
        ),
        (
            SubmitError::Overloaded { update: NoDebug, estimated_wait: Duration::from_millis(3) },
            "queue is overloaded (estimated wait 3ms)",
            false,
        ),
        (SubmitError::Closed { update: NoDebug }, "queue is closed", true),
        (
            SubmitError::Poisoned { update: NoDebug, cause: "the disk".into() },
            "queue is poisoned: the disk",
            true,
        ),
        (
            SubmitError::Reentrant { update: NoDebug },
            "a blocking submit from inside the queue's own machine",
            false,
        ),
    ]
}

fn update_errors() -> Vec<(UpdateError, Effect, &'static str)> {
    let cause = || -> Arc<dyn Error + Send + Sync> { Arc::from(BoxError::from("the disk is full")) };
    vec![
        (UpdateError::Expired, Effect::NotApplied, "the update's start deadline passed while it was queued"),
        (UpdateError::Shed, Effect::NotApplied, "the update was shed because the queue is overloaded"),
        (UpdateError::Closed, Effect::NotApplied, "the queue was closed before the update started"),
        (UpdateError::RolledBack(cause()), Effect::NotApplied, "the update's batch was rolled back"),
        (UpdateError::Panicked("boom".into()), Effect::Unknown, "the update panicked: boom"),
        (UpdateError::CommitFailed(cause()), Effect::Unknown, "the commit of the update's batch failed"),
        (UpdateError::WriterLost, Effect::Unknown, "the writer died while the update was running"),
    ]
}

#[test]
fn a_refused_update_comes_back_unapplied_and_is_never_printed() {
    for (error, text, is_final) in submit_errors() {
        assert_eq!(error.to_string(), text);
        assert_eq!(error.effect(), Effect::NotApplied, "{text}");
        assert_eq!(error.is_final(), is_final, "{text}");
        assert!(!format!("{error:?}").contains("update:"), "{error:?} prints the update");
        let as_error: &dyn Error = &error;
        assert!(as_error.source().is_none(), "{text}");
        let NoDebug = error.into_update();
    }
}

#[test]
fn a_failed_update_says_whether_it_may_have_been_applied_and_names_its_cause() {
    for (error, effect, text) in update_errors() {
        assert_eq!(error.effect(), effect, "{text}");
        assert_eq!(error.to_string(), text);
        let source = error.source().map(ToString::to_string);
        let has_cause = matches!(error, UpdateError::RolledBack(_) | UpdateError::CommitFailed(_));
        assert_eq!(source.as_deref(), has_cause.then_some("the disk is full"), "{text}");
    }
}

#[test]
fn a_call_error_has_the_effect_of_what_it_wraps() {
    for (error, text, _) in submit_errors() {
        let error = CallError::from(error);
        assert_eq!(error.effect(), Effect::NotApplied, "{text}");
        assert_eq!(error.to_string(), "the update was refused");
        assert_eq!(Error::source(&error).map(ToString::to_string).as_deref(), Some(text));
    }
    for (error, effect, text) in update_errors() {
        let error: CallError<NoDebug> = error.into();
        assert_eq!(error.effect(), effect, "{text}");
        assert_eq!(error.to_string(), "the update failed");
        assert_eq!(Error::source(&error).map(ToString::to_string).as_deref(), Some(text));
    }
}

#[test]
fn every_text_is_one_lower_case_line_without_a_full_stop() {
    let mut texts: Vec<String> = submit_errors().iter().map(|(error, ..)| error.to_string()).collect();
    texts.extend(update_errors().iter().map(|(error, ..)| error.to_string()));
    for text in texts {
        let right = text.starts_with(char::is_lowercase) && !text.ends_with('.') && !text.contains('\n');
        assert!(right, "`{text}`");
    }
}

struct Silent;

impl StateMachine for Silent {
    type Update = NoDebug;
    type Output = ();

    fn apply(&mut self, _update: NoDebug) {}
}

#[test]
fn a_shutdown_error_is_an_error_even_if_the_machine_cannot_be_printed() {
    let (_queue, writer) = queue_flume::Flume::start(Silent, Options::default());
    let errors: [(ShutdownError<Silent>, &str); 3] = [
        (
            ShutdownError::Poisoned { machine: Some(Silent), cause: "the disk".into() },
            "queue is poisoned: the disk",
        ),
        (ShutdownError::TimedOut(writer), "the running update did not end before the deadline"),
        (ShutdownError::Poisoned { machine: None, cause: "gone".into() }, "queue is poisoned: gone"),
    ];
    for (error, text) in errors {
        let error: Box<dyn Error> = Box::new(error);
        assert_eq!(error.to_string(), text);
    }
}
