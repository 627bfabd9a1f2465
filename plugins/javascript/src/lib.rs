//! x
pub use oxc_semantic as semantic; 
pub use oxc_parser as parser;
