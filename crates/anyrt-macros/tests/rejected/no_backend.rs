//! No backend is compiled in; this module stands for such a facade.

mod bare {
    macro_rules! how_many {
        ({ $($none:tt)* } $one:tt $several:tt) => { $($none)* };
    }
    pub(crate) use how_many as __how_many;
}

#[anyrt::main(crate = bare)]
async fn main() {}
